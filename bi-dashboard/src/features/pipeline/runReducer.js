// @ts-check
/** @import { Envelope, Layers, Phase, Run, Status, TriggerAnswer, Workspace } from '../../api/types.js' */
import { isAccepted, isActive, runKey } from '../../lib/runStates.js'
import { asTasks, grouped, mergedTasks, waitingAgain } from './attempts.js'

/**
 * What the page knows, as of `seq`. Runs are keyed by their run id, or by their submission id while they have none.
 * @typedef {{ seq: number | null, epoch: string | null, runs: Record<string, Run>, layers: Layers | null,
 *   workspace: Workspace | null, lake: number }} LiveState  `lake` is the seq of the last change of the tables
 */

/** @type {LiveState} */
export const EMPTY = { seq: null, epoch: null, runs: {}, layers: null, workspace: null, lake: 0 }

/** A run as an answer or a snapshot gives it. @param {Run} run @param {string} at  when that was true @returns {Run} */
export function normalised(run, at) {
  const since = run.started_at ?? run.requested_at ?? null
  const phases =
    run.phases ?? (run.active && run.phase ? [{ phase: run.phase, started_at: since, ended_at: null }] : [])
  const waits = run.active && !isAccepted(run)
  return {
    ...run,
    layer: run.layer ?? 'all',
    tasks: mergedTasks(asTasks(run.task_keys), grouped(toldTasks(run))),
    submit_reason: run.submit_reason ?? (waits ? (run.error?.message ?? null) : null),
    phases,
    eta_at: run.eta_at ?? at,
  }
}

/** @param {Envelope} event @returns {LiveState} */
function fromSnapshot({ seq, epoch, at, data }) {
  const runs = (Array.isArray(data.runs) ? data.runs : []).map((run) => normalised(run, at))
  return {
    seq,
    epoch,
    runs: Object.fromEntries(runs.map((run) => [runKey(run), run])),
    layers: data.layers ?? null,
    workspace: data.workspace ?? null,
    lake: seq,
  }
}

/** The phases a run went through, with their times. @param {Run} run @param {string | null} phase @param {string} at @returns {Phase[]} */
function phasesWith(run, phase, at) {
  const phases = run.phases ?? []
  const last = phases.at(-1)
  if (last && !last.ended_at && last.phase === phase) return phases
  const closed = phases.map((known) => (known.ended_at ? known : { ...known, ended_at: at }))
  return phase ? [...closed, { phase, started_at: at, ended_at: null }] : closed
}

/** The run an event speaks of, wherever it was known until now. @param {LiveState} state @param {Record<string, any>} data @returns {Run | undefined} */
function known(state, data) {
  const byRun =
    data.run_id === null || data.run_id === undefined ? undefined : state.runs[`run:${data.run_id}`]
  return byRun ?? (data.submission_id ? state.runs[`submission:${data.submission_id}`] : undefined)
}

/** @param {LiveState} state @param {Run} run @returns {LiveState} */
function withRun(state, run) {
  const runs = { ...state.runs }
  if (isAccepted(run) && run.submission_id) delete runs[`submission:${run.submission_id}`]
  runs[runKey(run)] = run
  return { ...state, runs }
}

/** @param {Record<string, any>} data @returns {Run} */
const blank = (data) => ({
  run_id: data.run_id ?? null,
  submission_id: data.submission_id ?? null,
  layer: data.layer ?? 'all',
  tasks: [],
})

/** Only what an event says replaces what was known. @param {Record<string, any>} data @param {string[]} names @returns {Partial<Run>} */
const told = (data, names) =>
  Object.fromEntries(
    names.filter((name) => data[name] !== undefined && data[name] !== null).map((name) => [name, data[name]]),
  )

const IDENTITY = [
  'run_id',
  'submission_id',
  'attempt',
  'layer',
  'job_url',
  'claim_ids',
  'requested_by',
  'requested_at',
  'reason',
]
const MOVEMENT = ['state', 'job_url', 'layer', 'started_at', 'ended_at', 'duration_s', 'queue_s', 'setup_s']

/** @param {Record<string, any>} data */
const toldTasks = (data) => asTasks([...(data.tasks ?? []), ...(data.earlier_attempts ?? [])])

/** @param {Run} run @param {Envelope} event @returns {Run} */
function submitting(run, { at, data }) {
  return {
    ...run,
    ...told(
      data,
      IDENTITY.filter((name) => name !== 'reason'),
    ),
    requested_at: data.requested_at ?? run.requested_at ?? at,
    tasks: mergedTasks(run.tasks, toldTasks(data)),
    active: true,
    submission_state: data.submission_state ?? 'SUBMITTING',
    submit_reason: data.reason ?? null,
    next_try_at: data.next_try_at ?? null,
  }
}

const NOTHING_YET = {
  result: null,
  error: null,
  retryable: null,
  task: null,
  progress: null,
  ended_at: null,
  duration_s: null,
  records: null,
  tables: null,
  submit_reason: null,
  next_try_at: null,
  cancel: null,
}

/** A run was accepted, or a repair begins its next attempt. @param {Run} run @param {Envelope} event @returns {Run} */
function started(run, { at, data }) {
  const again = isAccepted(run) && !isActive(run)
  const tasks = again
    ? waitingAgain(run.tasks, new Set(asTasks(data.tasks).map((task) => task.task_key)))
    : run.tasks
  return {
    ...run,
    ...NOTHING_YET,
    ...told(data, IDENTITY),
    requested_at: data.requested_at ?? run.requested_at ?? at,
    started_at: again ? (data.attempt_since ?? at) : (run.started_at ?? null),
    tasks: again ? tasks : mergedTasks(tasks, toldTasks(data)),
    active: true,
    submission_state: 'ACCEPTED',
    state: data.state ?? 'PENDING',
    phase: null,
    phases: phasesWith(run, null, at),
    eta: data.eta ?? null,
    eta_at: data.eta_at ?? at,
    eta_cause: null,
  }
}

/** The time left. The cause of a rise stands until the run does something else. @param {Run} run @param {Record<string, any>} data @param {string} at @returns {Partial<Run>} */
function estimate(run, data, at) {
  if (data.eta === undefined) return {}
  const same = run.task === (data.task ?? null) && (run.phase ?? null) === (data.phase ?? null)
  return {
    eta: data.eta,
    eta_at: data.eta_at ?? at,
    eta_cause: data.eta_cause ?? (same ? (run.eta_cause ?? null) : null),
  }
}

/** @param {Run} run @param {Envelope} event @returns {Run} */
function moved(run, { at, data }) {
  return {
    ...run,
    ...told(data, MOVEMENT),
    active: true,
    tasks: mergedTasks(run.tasks, toldTasks(data)),
    task: data.task ?? null,
    progress: data.progress ?? null,
    ...estimate(run, data, at),
    phase: data.phase ?? null,
    phases: phasesWith(run, data.phase ?? null, at),
    submission_state: run.submission_state ?? 'ACCEPTED',
  }
}

/** @param {Run} run @param {Envelope} event @param {Partial<Run>} outcome @returns {Run} */
function ended(run, event, outcome) {
  const { at, data } = event
  return {
    ...moved(run, event),
    ...told(data, ['records', 'tables']),
    state: data.state ?? (isAccepted(run) ? 'TERMINATED' : null),
    ended_at: data.ended_at ?? (isAccepted(run) ? null : at),
    duration_s: data.duration ?? data.duration_s ?? null,
    active: false,
    phase: null,
    phases: phasesWith(run, null, at),
    progress: null,
    eta: null,
    eta_cause: null,
    task: null,
    cancel: null,
    ...outcome,
  }
}

/** @type {Record<string, (run: Run, event: Envelope) => Run>} */
const FOLD = {
  run_adopted: (run, { at, data }) => normalised({ ...run, ...data }, at),
  run_canceling: (run, { data }) => ({ ...run, cancel: data.cancel ?? null }),
  databricks_job_submitting: submitting,
  databricks_job_started: started,
  databricks_job_progress: moved,
  databricks_job_completed: (run, event) =>
    ended(run, event, { result: event.data.result ?? 'SUCCESS', error: null }),
  databricks_job_failed: (run, event) =>
    ended(run, event, {
      result: event.data.result ?? (isAccepted(run) ? run.result : null),
      error: event.data.error ?? { message: 'The workspace gave no reason.' },
      retryable: event.data.retryable ?? null,
      submission_state: isAccepted(run) ? run.submission_state : (event.data.submission_state ?? 'REFUSED'),
    }),
}

/** Nothing moves a run that has ended, except the next attempt. @param {Run} run @param {string} type */
const settled = (run, type) => isAccepted(run) && run.active === false && type !== 'databricks_job_started'

/** @param {LiveState} state @param {Envelope} event @returns {LiveState} */
function folded(state, event) {
  if (event.type === 'workspace_status')
    return { ...state, workspace: { ...state.workspace, ...event.data, state: event.data.state } }
  if (event.type === 'lake_updated') return { ...state, lake: event.seq }
  const fold = FOLD[event.type]
  const run = known(state, event.data) ?? blank(event.data)
  return fold && !settled(run, event.type) ? withRun(state, fold(run, event)) : state
}

/**
 * The state after one envelope, or 'gap' when it cannot be known: then the caller asks for a snapshot.
 *
 * @param {LiveState} state @param {Envelope} event @returns {LiveState | 'gap'}
 */
export function runReducer(state, event) {
  if (event.type === 'snapshot') return fromSnapshot(event)
  if (state.seq === null || event.epoch !== state.epoch) return 'gap'
  if (event.seq <= state.seq) return state
  if (event.seq > state.seq + 1) return 'gap'
  return { ...folded(state, event), seq: event.seq }
}

/**
 * The answer to our own click. The stream usually tells the same a moment later; what it told already wins.
 *
 * @param {LiveState} state @param {TriggerAnswer} answer @param {{ at: string, reason?: string }} click @returns {LiveState}
 */
export function withAnswer(state, answer, { at, reason }) {
  if (known(state, answer)) return state
  return withRun(
    state,
    normalised({ ...blank(answer), ...answer, tasks: asTasks(answer.tasks), requested_at: at, reason }, at),
  )
}

/** Counts and freshness read after a run has ended. @param {LiveState} state @param {Status} status @returns {LiveState} */
export const withStatus = (state, status) => ({
  ...state,
  layers: status.layers,
  workspace: status.workspace,
})
