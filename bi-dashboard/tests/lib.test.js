// @ts-check
import { describe, expect, it } from 'vitest'
import { addClaimIds, MAX_CLAIM_IDS, parseClaimIds } from '../src/lib/claimIds.js'
import { toCsv } from '../src/lib/csv.js'
import {
  ago,
  days,
  duration,
  elapsed,
  estimateRange,
  money,
  monthName,
  percent,
  secondsBetween,
} from '../src/lib/format.js'
import { actionOf, faceOf, isActive, layerOfTask, routeOf } from '../src/lib/runStates.js'
import { createServerClock } from '../src/services/serverClock.js'
import { deltaOf, fullMonths, isPartial, KPIS } from '../src/features/insights/kpis.js'

describe('pasted claim ids', () => {
  it('are read from lines, commas, semicolons and quotes, each once', () => {
    expect(parseClaimIds(' CLM-1,CLM-2;CLM-1\n"CLM-3"\t[\'CLM-4\'] ').valid).toEqual([
      'CLM-1',
      'CLM-2',
      'CLM-3',
      'CLM-4',
    ])
  })
  it('are shown when they are not ids', () => {
    expect(parseClaimIds('CLM-1 -x a/b ' + 'x'.repeat(65) + ' é').invalid).toEqual([
      '-x',
      'a/b',
      'x'.repeat(65),
      'é',
    ])
  })
  it('may have exactly 64 characters', () => expect(parseClaimIds('x'.repeat(64)).valid).toHaveLength(1))
  it('beyond the limit of a run are left out and counted', () => {
    const many = Array.from({ length: MAX_CLAIM_IDS }, (_, index) => `C${index}`)
    expect(addClaimIds(many, ['C1', 'D1', 'D2'])).toEqual({ chosen: many, left_out: 2 })
  })
})

describe('times', () => {
  it('that tick have whole seconds only', () =>
    expect([0, 59.9, 60, 86.2, 3599, 3661].map(elapsed)).toEqual([
      '0s',
      '59s',
      '1m 00s',
      '1m 26s',
      '59m 59s',
      '1h 01m',
    ]))
  it('that are over have a tenth while short', () =>
    expect([0.34, 9.95, 12.4].map(duration)).toEqual(['0.3s', '9.9s', '12s']))
  it('that are not known are a dash, never a number', () =>
    expect([elapsed(null), duration(undefined), secondsBetween(null, 'x')]).toEqual(['–', '–', null]))
  it('to come are a rounded range', () =>
    expect([
      estimateRange(8.4, 21),
      estimateRange(40, 68),
      estimateRange(0.3, 0.4),
      estimateRange(30, 10),
    ]).toEqual(['10–20s', '40s–1m 15s', '1s', '30s']))
  it('of the past are told from now', () => {
    const now = Date.parse('2026-11-23T08:00:00Z')
    expect(
      [
        '2026-11-23T07:59:40Z',
        '2026-11-23T07:57:00Z',
        '2026-11-23T05:00:00Z',
        '2026-11-22T06:00:00Z',
        '2026-11-23T09:00:00Z',
      ].map((at) => ago(at, now)),
    ).toEqual(['just now', '3 min ago', '3 h ago', 'yesterday', 'just now'])
  })
})

describe('figures', () => {
  it('are money, percent and days', () =>
    expect([money(1_391_220), money(954.4), percent(0.7123), days(3.24), monthName('2026-11')]).toEqual([
      '$1.39M',
      '$954',
      '71.2%',
      '3.2 d',
      'Nov 2026',
    ]))
  it('that are missing are a dash', () =>
    expect([money(null), percent(null), days(undefined)]).toEqual(['–', '–', '–']))
  it('know good news from bad', () => {
    const [loss, claims] = KPIS
    const of = (/** @type {any} */ kpi, /** @type {any} */ now, /** @type {any} */ before) =>
      deltaOf(kpi, now, before)
    expect(of(loss, { loss_ratio: 0.74 }, { loss_ratio: 0.71 })).toEqual({
      direction: 'up',
      tone: 'bad',
      words: '3.0 pts',
    })
    expect(of(claims, { claims: 110 }, { claims: 100 })).toEqual({
      direction: 'up',
      tone: 'neutral',
      words: '10.0%',
    })
    expect(of(loss, { loss_ratio: null }, { loss_ratio: 0.71 })).toBeNull()
  })
})

describe('the newest month', () => {
  /** @param {string} valuedOn @returns {any} */
  const overview = (valuedOn) => ({
    valued_on: valuedOn,
    latest: { year_month: '2026-11' },
    months: [{ year_month: '2026-10' }, { year_month: '2026-11' }],
  })
  it('is compared only when it is over', () => {
    expect(['2026-11-29', '2026-11-30', '2026-12-02'].map((on) => isPartial(overview(on)))).toEqual([
      true,
      false,
      false,
    ])
    expect(fullMonths(overview('2026-11-22')).map((month) => month.year_month)).toEqual(['2026-10'])
  })
})

describe('a CSV', () => {
  it('quotes what must be quoted and defuses formulas', () => {
    expect(
      toCsv(
        ['a', 'b'],
        [
          { a: 'x,"y"', b: '=1+1' },
          { a: null, b: -2 },
        ],
      ),
    ).toBe('a,b\r\n"x,""y""",\'=1+1\r\n,-2\r\n')
  })
})

describe('states', () => {
  it('that nobody knows are shown by their raw name and end nothing', () => {
    expect(faceOf({ state: 'HIBERNATING' })).toEqual({ kind: 'unknown', word: 'HIBERNATING' })
    expect(isActive({ run_id: 1, layer: 'all', state: 'HIBERNATING', tasks: [] })).toBe(true)
  })
  it('of tasks made by somebody else still tell their layer', () => {
    expect(layerOfTask({ task_key: 'step_2', notebook_path: '/Shared/02_silver_transformations' })).toBe(
      'silver',
    )
    expect(layerOfTask({ task_key: 'notify' })).toBeNull()
  })
  it('lead to the click that runs the same tasks again', () => {
    const run = {
      run_id: 1,
      layer: /** @type {const} */ ('silver'),
      tasks: [{ task_key: 'bronze_ingestion' }, { task_key: 'silver_transformations' }],
    }
    expect([routeOf(run), actionOf(run)]).toEqual([
      'Bronze → Silver',
      { layer: 'silver', process: 'bronze-to-silver' },
    ])
    expect(actionOf({ ...run, layer: 'gold', tasks: [{ task_key: 'gold_aggregations' }] })).toEqual({
      layer: 'gold',
    })
  })
})

describe("the server's clock", () => {
  it('corrects a browser that is wrong by minutes and leaves a good one alone', () => {
    const clock = createServerClock(() => 1_000_000_000)
    clock.observe(new Date(1_000_000_000 - 900).toUTCString())
    expect(clock.now()).toBe(1_000_000_000)
    clock.observe(new Date(1_000_120_000).toUTCString())
    expect(clock.now()).toBe(1_000_120_500)
  })
})
