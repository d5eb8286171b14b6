// @ts-check
import { readdirSync, readFileSync } from 'node:fs'
import { resolve } from 'node:path'
import { describe, expect, it } from 'vitest'
import { EMPTY, runReducer } from '../src/features/pipeline/runReducer.js'

// The same files, and the same rows, as backend/tests/unit/test_recorded_logs.py.
const FOLDER = resolve(import.meta.dirname, '../../fixtures/event_logs')
const LOGS = readdirSync(FOLDER).filter((name) => name.endsWith('.json'))

/** @param {any} task */
const taskRow = (task) => [
  task.task_key,
  task.task_run_id,
  task.attempt_number,
  task.state ?? null,
  task.result ?? null,
]

/** @param {any} run */
function row(run) {
  const plain = Object.fromEntries(
    ['run_id', 'attempt', 'active', 'state', 'result', 'phase', 'started_at', 'ended_at'].map((name) => [
      name,
      run[name] ?? null,
    ]),
  )
  return {
    ...plain,
    duration_s: run.duration_s ?? null,
    retryable: run.retryable ?? null,
    error: run.error?.code ?? null,
    tasks: run.tasks.map(taskRow),
    earlier_attempts: run.tasks.flatMap((/** @type {any} */ task) => task.attempts ?? []).map(taskRow),
  }
}

/** @param {any[]} events */
function folded(events) {
  const { epoch, at } = events[0]
  const beginning = { seq: 0, epoch, type: 'snapshot', at, data: { runs: [], layers: {}, workspace: {} } }
  return [beginning, ...events].reduce((state, event) => {
    const next = runReducer(state, event)
    if (next === 'gap') throw new Error(`gap at ${event.seq}`)
    return next
  }, EMPTY)
}

describe.each(LOGS)('%s', (name) => {
  const recorded = JSON.parse(readFileSync(resolve(FOLDER, name), 'utf8'))
  const state = folded(recorded.events)

  it('folds into its rows', () => {
    const runs = Object.values(state.runs).filter((run) => run.run_id !== null)
    expect(runs.map(row)).toEqual(recorded.rows)
  })
  it('leaves no click without an answer', () => {
    const clicks = Object.values(state.runs).filter((run) => run.run_id === null)
    for (const click of clicks) expect(click).toMatchObject({ active: false, submission_state: 'REFUSED' })
  })
})
