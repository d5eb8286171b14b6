// @ts-check
import { describe, expect, it } from 'vitest'
import { placed, ticks, timelineOf } from '../src/features/pipeline/timeline.js'
import { remaining } from '../src/features/pipeline/EtaBadge.jsx'
import { usualStart } from '../src/features/pipeline/ClusterStart.jsx'
import { progressOf } from '../src/features/pipeline/ActiveRun.jsx'
import { changes } from '../src/features/pipeline/announcements.js'
import { matches, withLive } from '../src/features/pipeline/history.js'
import { normalised } from '../src/features/pipeline/runReducer.js'

/** @param {number} second */
const at = (second) => new Date(Date.UTC(2026, 10, 23, 8, 0, second)).toISOString()
/** @param {string} key @param {Record<string, any>} [more] */
const task = (key, more = {}) => ({ task_key: key, ...more })
/** @param {Record<string, any>} [more] @returns {any} */
const run = (more = {}) => ({
  run_id: 7,
  layer: 'all',
  active: false,
  state: 'TERMINATED',
  result: 'SUCCESS',
  requested_at: at(0),
  started_at: at(1),
  tasks: [],
  ...more,
})

describe('the timeline', () => {
  it('of an active run leaves bars open and has no end', () => {
    const timeline = timelineOf(
      run({
        active: true,
        result: null,
        state: 'RUNNING',
        tasks: [
          task('bronze_ingestion', { state: 'RUNNING', started_at: at(4) }),
          task('silver_transformations', { state: 'BLOCKED' }),
        ],
      }),
    )
    expect(timeline?.end).toBeNull()
    expect(timeline?.rows.map((row) => row.bars.map(({ from, to }) => [from, to]))).toEqual([[[4, null]], []])
  })
  it('shows queue and cluster start-up apart from the task that waited for them', () => {
    const timeline = timelineOf(
      run({
        queue_s: 2,
        tasks: [
          task('bronze_ingestion', {
            state: 'TERMINATED',
            result: 'SUCCESS',
            started_at: at(2),
            ended_at: at(20),
            setup_s: 8,
          }),
        ],
      }),
    )
    expect(timeline?.rows.map((row) => [row.name, row.bars[0]?.from, row.bars[0]?.to])).toEqual([
      ['Queue', 0, 2],
      ['Cluster start-up', 2, 10],
      ['Bronze', 10, 20],
    ])
  })
  it('draws each attempt as a bar of its own', () => {
    const failed = task('bronze_ingestion', {
      state: 'TERMINATED',
      result: 'FAILED',
      started_at: at(2),
      ended_at: at(5),
    })
    const timeline = timelineOf(
      run({
        tasks: [
          task('bronze_ingestion', {
            state: 'TERMINATED',
            result: 'SUCCESS',
            attempt_number: 1,
            started_at: at(6),
            ended_at: at(9),
            attempts: [failed],
          }),
        ],
      }),
    )
    expect(timeline?.rows[0]?.bars.map((bar) => bar.face.word)).toEqual(['Failed', 'Succeeded'])
  })
  it('shows every attempt on one row, and leaves out the time between the end and the repair', () => {
    const repaired = (/** @type {Record<string, any>} */ more) =>
      run({
        attempt: 1,
        started_at: at(50),
        ended_at: at(53),
        tasks: [
          task('bronze_ingestion', {
            state: 'TERMINATED',
            result: 'SUCCESS',
            started_at: at(0),
            ended_at: at(5),
          }),
          task('silver_transformations', {
            state: 'TERMINATED',
            result: 'SUCCESS',
            attempt_number: 1,
            started_at: at(50),
            ended_at: at(53),
            attempts: [
              task('silver_transformations', { result: 'FAILED', started_at: at(5), ended_at: at(7) }),
            ],
          }),
        ],
        ...more,
      })
    const timeline = timelineOf(repaired({}))
    const kept = 10 * 0.03
    const round = (/** @type {number | null} */ value) => Math.round(Number(value) * 1000) / 1000
    expect(timeline?.rows.map((row) => row.bars.map(({ from, to }) => [from, to].map(round)))).toEqual([
      [[0, 5]],
      [
        [5, 7],
        [7 + kept, 10 + kept],
      ],
    ])
    expect(timeline?.pauses.map(({ from, to }) => [from, to])).toEqual([[7, 50]])
    expect(timeline?.end).toBeCloseTo(10 + kept)
    expect(timelineOf(repaired({ attempt: 0 }))?.pauses).toEqual([])
  })
  it('of a repair that has begun places now behind the pause', () => {
    const timeline = timelineOf(
      run({
        attempt: 1,
        active: true,
        result: null,
        state: 'PENDING',
        started_at: at(110),
        tasks: [
          task('silver_transformations', {
            attempts: [
              task('silver_transformations', { result: 'FAILED', started_at: at(0), ended_at: at(10) }),
            ],
          }),
        ],
      }),
    )
    expect(timeline?.rows.map((row) => [row.bars.length, row.over])).toEqual([[1, false]])
    expect(placed(timeline?.pauses ?? [], 112)).toBeCloseTo(12.3)
  })
  it('has round ticks, few enough to read', () => {
    expect([ticks(0.4), ticks(12), ticks(95)]).toEqual(
      [[0, 0.1, 0.2, 0.3, 0.4], [0, 2, 4, 6, 8, 10, 12], [0, 30, 60, 90].map(Number)].map((list) => list),
    )
  })
})

describe('time left', () => {
  it('is counted from when the estimate was made, and never below nothing', () => {
    const estimated = run({ eta: { p50_s: 40, p90_s: 68, n: 12 }, eta_at: at(0) })
    expect(remaining(estimated, Date.parse(at(10)))).toEqual({ p50_s: 30, p90_s: 58, n: 12 })
    expect(remaining(estimated, Date.parse(at(59)))).toEqual({ p50_s: 0, p90_s: 9, n: 12 })
  })
  it('is not invented', () => expect(remaining(run({ eta: null, eta_at: at(0) }), 0)).toBeNull())
})

describe('the usual start of a cluster', () => {
  const started = (/** @type {number} */ seconds) =>
    run({ tasks: [task('bronze_ingestion', { setup_s: seconds })] })
  it('is known from three cold starts on', () => {
    expect(usualStart([started(30), started(40)])).toBeNull()
    expect(usualStart([started(30), started(40), started(35), started(0.1)])).toEqual({ low: 30, high: 40 })
  })
})

describe('progress', () => {
  it('adds what the current task says of itself to the tasks that are done', () => {
    const moving = run({
      active: true,
      state: 'RUNNING',
      result: null,
      progress: { done: 1, total: 4 },
      tasks: [
        task('bronze_ingestion', { result: 'SUCCESS' }),
        task('silver_transformations', { state: 'RUNNING' }),
      ],
    })
    expect(progressOf(moving)).toEqual({ total: 2, done: 1, finished: 0.5, reached: 0.625 })
  })
})

describe('what is said aloud', () => {
  it('is news only: neither history nor the same sentence twice', () => {
    const moving = run({ active: true, state: 'RUNNING', result: null })
    expect(changes({}, { 'run:7': run() })).toEqual({ ended: [], news: [] })
    expect(
      changes({ 'run:7': moving }, { 'run:7': { ...moving, progress: { done: 1, total: 2 } } }).news,
    ).toEqual([])
    expect(changes({ 'run:7': moving }, { 'run:7': run({ duration_s: 2 }) }).ended).toHaveLength(1)
  })
})

describe('the history', () => {
  it('lets the stream win over a page fetched before, and puts new runs on top', () => {
    const fetched = [
      run({ run_id: 7, requested_at: at(5), state: 'RUNNING', result: null }),
      run({ run_id: 6, requested_at: at(1) }),
    ]
    const live = [
      run({ run_id: 8, requested_at: at(9) }),
      run({ run_id: 7, requested_at: at(5) }),
      run({ run_id: 2, requested_at: at(0) }),
    ]
    expect(withLive(fetched, live).map((one) => [one.run_id, one.result])).toEqual([
      [8, 'SUCCESS'],
      [7, 'SUCCESS'],
      [6, 'SUCCESS'],
    ])
  })
  it('is filtered by the words of the workspace', () => {
    expect(matches(run(), { layer: 'all', state: 'SUCCESS' })).toBe(true)
    expect(matches(run(), { layer: 'gold', state: null })).toBe(false)
    expect(matches(run({ active: true, result: null }), { layer: null, state: 'active' })).toBe(true)
  })
  it('shows the tasks of a click that has no run yet', () => {
    expect(
      normalised(run({ run_id: null, submission_id: 's', task_keys: ['bronze_ingestion'], tasks: [] }), '')
        .tasks,
    ).toEqual([{ task_key: 'bronze_ingestion' }])
  })
})
