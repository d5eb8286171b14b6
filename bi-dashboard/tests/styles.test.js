// @ts-check
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'

const STYLES = 'node_modules/@mantine/core/styles'
/** Parts that are drawn by other parts. @type {Record<string, string[]>} */
const INSIDE = {
  Button: ['UnstyledButton', 'Loader'],
  ActionIcon: ['UnstyledButton', 'Loader'],
  Popover: ['Paper'],
  SegmentedControl: ['FloatingIndicator'],
  Pill: ['CloseButton', 'UnstyledButton'],
  TextInput: ['Input'],
  Textarea: ['Input'],
  NativeSelect: ['Input'],
  Burger: ['UnstyledButton'],
}

const imported = readFileSync('src/styles/mantine.js', 'utf8')
const files = readdirSync('src', { recursive: true, encoding: 'utf8' }).filter((file) =>
  file.endsWith('.jsx'),
)
const sources = files.map((file) => readFileSync(`src/${file}`, 'utf8'))
const used = new Set(
  sources
    .flatMap((text) => [...text.matchAll(/import \{([^}]+)\} from '@mantine\/core'/g)])
    .flatMap(([, names]) => (names ?? '').split(',').map((name) => name.trim())),
)

describe('the style sheet', () => {
  const needed = new Set(
    [...used]
      .flatMap((part) => [part, ...(INSIDE[part] ?? [])])
      .filter((part) => existsSync(`${STYLES}/${part}.css`)),
  )
  it.each([...needed])('has the file of %s', (part) => expect(imported).toContain(`/${part}.css'`))
})
