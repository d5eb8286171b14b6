// @ts-check
import { describe, expect, it } from 'vitest'
import { EMPTY, runReducer, withAnswer } from '../src/features/pipeline/runReducer.js'
import { currentTask, isActive, runFace } from '../src/lib/runStates.js'

const AT = '2026-11-23T08:00:00.000Z'
/** @param {number} seq @param {string} type @param {Record<string, any>} data @param {string} [at] */
const event = (seq, type, data, at = AT) => ({ seq, epoch: 'e1', type, at, data })
/** @param {any[]} runs */
const snapshot = (seq = 10, runs = /** @type {any[]} */ ([])) =>
  event(seq, 'snapshot', {
    runs,
    layers: { gold: { pending: 3 } },
    workspace: { kind: 'local', state: 'ok' },
  })

/** @param {any[]} events @returns {any} */
function fold(...events) {
  return events.reduce((state, one) => (state === 'gap' ? 'gap' : runReducer(state, one)), EMPTY)
}

const STARTED = {
  run_id: 7,
  submission_id: 's1',
  layer: 'silver',
  job_url: 'http://x/7',
  claim_ids: [],
  tasks: ['bronze_ingestion', 'silver_transformations'],
  requested_by: 'dana',
  requested_at: AT,
  eta: { p50_s: 10, p90_s: 20, n: 9 },
}
/** @param {number} id @param {string} key @param {Record<string, any>} more */
const attempt = (id, key, more) => ({ task_run_id: id, task_key: key, attempt_number: 0, ...more })
const PROGRESS = {
  run_id: 7,
  submission_id: 's1',
  state: 'RUNNING',
  phase: 'running',
  task: 'bronze_ingestion',
  tasks: [
    attempt(71, 'bronze_ingestion', { state: 'RUNNING', started_at: AT }),
    attempt(72, 'silver_transformations', { state: 'BLOCKED' }),
  ],
  progress: { done: 1, total: 4, step: 'bronze.claims', task: 'bronze_ingestion' },
  eta: { p50_s: 8, p90_s: 15, n: 9 },
}
const COMPLETED = {
  ...PROGRESS,
  state: 'TERMINATED',
  phase: null,
  progress: null,
  eta: null,
  result: 'SUCCESS',
  duration: 4.2,
  records: { in: 10, out: 9, quarantined: 1 },
  tables: [{ name: 'a.b.c', version_after: 1 }],
  tasks: [
    attempt(71, 'bronze_ingestion', { state: 'TERMINATED', result: 'SUCCESS' }),
    attempt(72, 'silver_transformations', { state: 'TERMINATED', result: 'SUCCESS' }),
  ],
}
const FAILED = {
  ...COMPLETED,
  result: 'FAILED',
  error: { code: 'X', message: 'broke', task: 'silver_transformations' },
  retryable: true,
  tasks: [
    attempt(71, 'bronze_ingestion', { state: 'TERMINATED', result: 'SUCCESS', started_at: AT }),
    attempt(72, 'silver_transformations', { state: 'TERMINATED', result: 'FAILED', started_at: AT }),
  ],
}

describe('the sequence', () => {
  it('asks for a snapshot when nothing is known yet', () =>
    expect(fold(event(1, 'databricks_job_started', STARTED))).toBe('gap'))
  it('asks for a snapshot when an event is missing', () =>
    expect(fold(snapshot(10), event(12, 'databricks_job_started', STARTED))).toBe('gap'))
  it('asks for a snapshot when the log began a new life', () =>
    expect(fold(snapshot(10), { ...event(11, 'x', {}), epoch: 'e2' })).toBe('gap'))
  it('lets a snapshot of a new life replace everything', () => {
    const state = fold(snapshot(10, [{ ...STARTED, state: 'RUNNING' }]), { ...snapshot(2), epoch: 'e2' })
    expect([state.epoch, state.seq, state.runs]).toEqual(['e2', 2, {}])
  })
  it('ignores what it saw already', () => {
    const state = fold(snapshot(10), event(11, 'databricks_job_started', STARTED))
    expect(runReducer(state, event(11, 'databricks_job_failed', FAILED))).toBe(state)
  })
  it('goes past events of kinds it does not know', () => {
    expect(fold(snapshot(10), event(11, 'something_new', { run_id: 7 }))).toMatchObject({ seq: 11, runs: {} })
  })
})

describe('a run', () => {
  it('starts, moves and ends with what came out', () => {
    const state = fold(
      snapshot(),
      event(11, 'databricks_job_started', STARTED),
      event(12, 'databricks_job_progress', PROGRESS),
      event(13, 'databricks_job_completed', COMPLETED),
    )
    const run = state.runs['run:7']
    expect(run).toMatchObject({
      result: 'SUCCESS',
      duration_s: 4.2,
      records: { in: 10, out: 9, quarantined: 1 },
      eta: null,
      progress: null,
    })
    expect(isActive(run)).toBe(false)
  })
  it('keeps the cause of a longer estimate until the run does something else', () => {
    const cause = { code: 'slower_than_usual', message: 'It takes longer.' }
    const longer = { ...PROGRESS, eta: { p50_s: 30, p90_s: 60, n: 9 }, eta_at: AT, eta_cause: cause }
    const quiet = { ...PROGRESS, eta_at: AT, eta_cause: null }
    const before = [
      snapshot(),
      event(11, 'databricks_job_started', STARTED),
      event(12, 'databricks_job_progress', PROGRESS),
      event(13, 'databricks_job_progress', longer),
      event(14, 'databricks_job_progress', quiet),
    ]
    expect(fold(...before).runs['run:7']).toMatchObject({ eta: PROGRESS.eta, eta_cause: cause })
    const next = { ...quiet, task: 'silver_transformations' }
    const state = fold(...before, event(15, 'databricks_job_progress', next))
    expect(state.runs['run:7'].eta_cause).toBeNull()
  })
  it('tells which task executes and how long it may take from when that was said', () => {
    const later = '2026-11-23T08:00:05.000Z'
    const state = fold(
      snapshot(),
      event(11, 'databricks_job_started', STARTED),
      event(12, 'databricks_job_progress', PROGRESS, later),
    )
    expect(currentTask(state.runs['run:7'])?.task_key).toBe('bronze_ingestion')
    expect(state.runs['run:7']).toMatchObject({ eta: PROGRESS.eta, eta_at: later })
  })
  it('keeps the phases it went through with their times', () => {
    const [t1, t2] = ['2026-11-23T08:00:01.000Z', '2026-11-23T08:00:09.000Z']
    const state = fold(
      snapshot(),
      event(11, 'databricks_job_started', STARTED),
      event(12, 'databricks_job_progress', { ...PROGRESS, phase: 'cluster_starting' }, t1),
      event(13, 'databricks_job_progress', PROGRESS, t2),
    )
    expect(state.runs['run:7'].phases).toEqual([
      { phase: 'cluster_starting', started_at: t1, ended_at: t2 },
      { phase: 'running', started_at: t2, ended_at: null },
    ])
  })
  it('is not moved by anything after its end', () => {
    const ended = fold(
      snapshot(),
      event(11, 'databricks_job_started', STARTED),
      event(12, 'databricks_job_completed', COMPLETED),
    )
    expect(
      fold(
        snapshot(),
        event(11, 'databricks_job_started', STARTED),
        event(12, 'databricks_job_completed', COMPLETED),
        event(13, 'databricks_job_failed', FAILED),
      ).runs,
    ).toEqual(ended.runs)
  })
  it('stays active in a state that nobody knows', () => {
    const state = fold(
      snapshot(),
      event(11, 'databricks_job_started', STARTED),
      event(12, 'databricks_job_progress', { ...PROGRESS, state: 'HIBERNATING' }),
    )
    expect(isActive(state.runs['run:7'])).toBe(true)
    expect(runFace(state.runs['run:7']).word).toBe('HIBERNATING')
  })
  it('begins again after a repair and keeps the failed attempt', () => {
    const failed = [
      snapshot(),
      event(11, 'databricks_job_started', STARTED),
      event(12, 'databricks_job_failed', FAILED),
    ]
    const repaired = fold(...failed, event(13, 'databricks_job_started', { ...STARTED, attempt: 1 }))
    expect(repaired.runs['run:7']).toMatchObject({ result: null, error: null, active: true })
    expect(
      repaired.runs['run:7'].tasks.map((/** @type {any} */ task) => [
        task.task_key,
        task.result,
        task.attempts?.length ?? 0,
      ]),
    ).toEqual([
      ['bronze_ingestion', 'SUCCESS', 0],
      ['silver_transformations', undefined, 1],
    ])
    const again = runReducer(
      repaired,
      event(14, 'databricks_job_progress', {
        ...PROGRESS,
        tasks: [
          attempt(71, 'bronze_ingestion', { state: 'TERMINATED', result: 'SUCCESS' }),
          {
            ...attempt(99, 'silver_transformations', { state: 'RUNNING', started_at: AT }),
            attempt_number: 1,
          },
        ],
      }),
    )
    const silver = again === 'gap' ? null : again.runs['run:7']?.tasks[1]
    expect([silver?.task_run_id, silver?.state, silver?.attempts?.length]).toEqual([99, 'RUNNING', 1])
  })
})

describe('a click', () => {
  const answer = {
    submission_id: 's1',
    submission_state: 'SUBMITTING',
    run_id: null,
    job_url: null,
    layer: /** @type {const} */ ('silver'),
    tasks: ['bronze_ingestion'],
    claim_ids: [],
    state: null,
  }
  it('is shown before the stream speaks of it, and becomes the run it started', () => {
    const clicked = withAnswer(fold(snapshot()), answer, { at: AT })
    expect(Object.keys(clicked.runs)).toEqual(['submission:s1'])
    const state = runReducer(clicked, event(11, 'databricks_job_started', STARTED))
    expect(state === 'gap' ? state : Object.keys(state.runs)).toEqual(['run:7'])
  })
  it('never overwrites what the stream told already', () => {
    const state = fold(
      snapshot(),
      event(11, 'databricks_job_started', STARTED),
      event(12, 'databricks_job_completed', COMPLETED),
    )
    expect(withAnswer(state, { ...answer, run_id: 7 }, { at: AT })).toBe(state)
  })
  it('shows why the workspace did not take it and when it tries again', () => {
    const state = fold(
      snapshot(),
      event(11, 'databricks_job_submitting', {
        submission_id: 's1',
        layer: 'silver',
        tasks: ['bronze_ingestion'],
        reason: '429',
        next_try_at: AT,
      }),
    )
    expect(state.runs['submission:s1']).toMatchObject({
      submit_reason: '429',
      next_try_at: AT,
      submission_state: 'SUBMITTING',
    })
    expect(isActive(state.runs['submission:s1'])).toBe(true)
  })
  it('that is refused for good ends without a run', () => {
    const state = fold(
      snapshot(),
      event(11, 'databricks_job_failed', {
        run_id: null,
        submission_id: 's1',
        error: { message: 'The token is wrong.' },
        result: null,
        retryable: true,
      }),
    )
    const click = state.runs['submission:s1']
    expect([isActive(click), runFace(click).word, click.error.message]).toEqual([
      false,
      'Refused',
      'The token is wrong.',
    ])
  })
})

describe('the workspace', () => {
  it('is degraded without touching a run', () => {
    const before = fold(snapshot(10, [{ ...STARTED, state: 'RUNNING', tasks: [] }]))
    const after = runReducer(
      before,
      event(11, 'workspace_status', { state: 'degraded', detail: 'silent', last_known_at: AT }),
    )
    expect(after === 'gap' ? after : [after.workspace, after.runs]).toEqual([
      { kind: 'local', state: 'degraded', detail: 'silent', last_known_at: AT },
      before.runs,
    ])
  })
  it('says that the tables have changed, so that pages ask again', () => {
    expect(
      fold(snapshot(), event(11, 'lake_updated', { run_id: 7, layers: ['gold'], as_of: null })).lake,
    ).toBe(11)
  })
})
