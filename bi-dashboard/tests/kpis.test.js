// @ts-check
import { readFileSync } from 'node:fs'
import { expect, test } from 'vitest'
import { KPIS } from '../src/features/insights/kpis.js'

const PAGE = readFileSync(new URL('../../docs/kpis.md', import.meta.url), 'utf8')
const MONTHLY = PAGE.split('\n## ').find((part) => part.startsWith('gold.monthly_kpis')) ?? ''
const FORMULAS = new Map(
  MONTHLY.split('\n')
    .map((line) => /^\| `([a-z0-9_]+)` \| [^|]+ \| (.+) \|$/.exec(line))
    .filter((found) => found !== null)
    .map(([, column, formula]) => [column, formula]),
)

test.each(KPIS)('$name means what docs/kpis.md says', ({ key, meaning }) => {
  const column = key === 'cycle_time_p50_days' ? 'decision_days_p50' : key
  expect(meaning).toBe(FORMULAS.get(column))
})
