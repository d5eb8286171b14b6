// @ts-check
/** @import { Layers, Run, Task, Workspace } from '../api/types.js' */
/** Runs in every state, shaped as the server sends them. All times are relative to `now`, so that nothing looks stale. */

const now = Date.now()
/** @param {number} secondsAgo */
export const ago = (secondsAgo) => new Date(now - secondsAgo * 1000).toISOString()

const NOTEBOOKS = ['01_bronze_ingestion', '02_silver_transformations', '03_gold_aggregations']
const KEYS = ['bronze_ingestion', 'silver_transformations', 'gold_aggregations']

/** @param {number} index @param {Partial<Task>} [more] @returns {Task} */
export const task = (index, more = {}) => ({
  task_key: KEYS[index] ?? 'other',
  task_run_id: 9000 + index,
  notebook_path: `/PetInsure360/${NOTEBOOKS[index]}`,
  attempt_number: 0,
  ...more,
})

/** @param {number} index @param {number} from @param {number} to @param {number} setup @returns {Task} */
const done = (index, from, to, setup = 0) =>
  task(index, {
    state: 'TERMINATED',
    result: 'SUCCESS',
    started_at: ago(from),
    ended_at: ago(to),
    duration_s: from - to,
    setup_s: setup,
    records: { in: 15000, out: 14700, quarantined: index === 1 ? 312 : 0 },
  })

/** @param {number} index */
const blocked = (index) => task(index, { state: 'BLOCKED' })

const BASE = {
  submission_id: '0f3c2f4e-52a1-4c0e-9d0a-0c8c2f6f3a11',
  submission_state: 'ACCEPTED',
  layer: /** @type {const} */ ('all'),
  job_url: 'http://127.0.0.1:8471/#job/1/run/128',
  requested_by: 'dana@example.com',
  claim_ids: [],
}

export const TABLES = [
  { name: 'petinsure360.bronze.claims', version_before: 3, version_after: 4, rows: 15330 },
  { name: 'petinsure360.bronze.policies', version_before: 2, version_after: 2, rows: 6000 },
  { name: 'petinsure360.silver.claims', version_before: 3, version_after: 4, rows: 14706 },
  { name: 'petinsure360.silver.quarantine', version_before: 3, version_after: 4, rows: 624 },
  { name: 'petinsure360.gold.claims_analytics', version_before: 1, version_after: 2, rows: 14706 },
  { name: 'petinsure360.gold.monthly_kpis', version_before: null, version_after: 0, rows: 25 },
]

/** @type {Run} */
export const queued = {
  ...BASE,
  run_id: 129,
  submission_id: 'q',
  layer: 'gold',
  active: true,
  state: 'QUEUED',
  phase: 'queued',
  requested_at: ago(6),
  tasks: [blocked(2)],
}
/** @type {Run} */
export const starting = {
  ...BASE,
  run_id: 128,
  active: true,
  state: 'PENDING',
  phase: 'cluster_starting',
  phases: [{ phase: 'cluster_starting', started_at: ago(14), ended_at: null }],
  requested_at: ago(15),
  started_at: ago(15),
  eta: { p50_s: 96, p90_s: 140, n: 12 },
  eta_at: ago(1),
  tasks: [task(0, { state: 'PENDING' }), blocked(1), blocked(2)],
}
/** @type {Run} */
export const running = {
  ...starting,
  state: 'RUNNING',
  phase: 'running',
  phases: [
    { phase: 'cluster_starting', started_at: ago(86), ended_at: ago(48) },
    { phase: 'running', started_at: ago(48), ended_at: null },
  ],
  requested_at: ago(88),
  started_at: ago(87),
  eta: { p50_s: 40, p90_s: 68, n: 12 },
  task: KEYS[1],
  progress: { done: 5, total: 9, step: 'silver.claims', task: KEYS[1] },
  tasks: [done(0, 48, 24), task(1, { state: 'RUNNING', started_at: ago(24) }), blocked(2)],
}
/** @type {Run} */
export const succeeded = {
  ...BASE,
  run_id: 127,
  active: false,
  state: 'TERMINATED',
  result: 'SUCCESS',
  requested_at: ago(400),
  started_at: ago(399),
  ended_at: ago(386.6),
  duration_s: 12.4,
  records: { in: 15330, out: 14706, quarantined: 312 },
  tables: TABLES,
  phases: [{ phase: 'cluster_starting', started_at: ago(399), ended_at: ago(396.2) }],
  tasks: [done(0, 399, 393.4, 2.8), done(1, 393.4, 389), done(2, 389, 386.6)],
}
/** @type {Run} */
export const failed = {
  ...BASE,
  run_id: 126,
  active: false,
  state: 'INTERNAL_ERROR',
  result: 'FAILED',
  requested_at: ago(700),
  started_at: ago(699),
  ended_at: ago(610),
  duration_s: 89,
  retryable: true,
  error: {
    code: 'RUN_EXECUTION_ERROR',
    message:
      'RejectedShareTooLarge: 41 % of silver.claims was rejected by rule amount_non_negative; at most 20 % is allowed.',
    task: KEYS[1],
    trace_excerpt: 'RejectedShareTooLarge: 41 % of silver.claims …',
    advice: 'The notebook raised an error. Read the trace, correct the cause, then use Retry.',
  },
  records: { in: 15330, out: null, quarantined: null },
  tables: TABLES.slice(0, 2),
  tasks: [
    done(0, 699, 660),
    task(1, {
      state: 'TERMINATED',
      result: 'FAILED',
      started_at: ago(640),
      ended_at: ago(610),
      duration_s: 30,
      attempt_number: 1,
      attempts: [
        task(1, {
          task_run_id: 8999,
          state: 'TERMINATED',
          result: 'FAILED',
          started_at: ago(660),
          ended_at: ago(643),
        }),
      ],
    }),
    task(2, { state: 'SKIPPED', result: 'UPSTREAM_FAILED' }),
  ],
}
/** @type {Run} */
export const canceled = {
  ...succeeded,
  run_id: 125,
  result: 'CANCELED',
  requested_at: ago(4000),
  records: null,
  tables: [],
  tasks: [
    done(0, 4000, 3990),
    task(1, { state: 'TERMINATED', result: 'CANCELED', started_at: ago(3990), ended_at: ago(3986) }),
    task(2, { state: 'SKIPPED', result: 'UPSTREAM_CANCELED' }),
  ],
}
/** @type {Run} */
export const submitting = {
  ...BASE,
  run_id: null,
  active: true,
  submission_state: 'SUBMITTING',
  state: null,
  requested_at: ago(31),
  submit_reason: 'The workspace answers 429 (too many requests)',
  next_try_at: ago(-12),
  tasks: KEYS.map((task_key) => ({ task_key })),
}
/** @type {Run} */
export const refused = {
  ...BASE,
  run_id: null,
  active: false,
  submission_state: 'REFUSED',
  state: null,
  requested_at: ago(31),
  error: {
    code: 'workspace_unauthorized',
    message: 'The workspace refused the token (401).',
    advice: 'Check DATABRICKS_TOKEN (or the other credentials) and its expiry, then use Retry.',
  },
  tasks: KEYS.map((task_key) => ({ task_key })),
}
/** @type {Run} */
export const unknownState = {
  ...running,
  run_id: 131,
  state: 'HIBERNATING',
  phase: null,
  phases: [],
  progress: null,
  eta: null,
}

/** @type {Run[]} */
export const past = [122, 123, 124].map((run_id, index) => ({
  ...succeeded,
  run_id,
  requested_at: ago(90_000 * (index + 1)),
  started_at: ago(90_000 * (index + 1)),
  ended_at: ago(90_000 * (index + 1) - 14 - index * 5),
  duration_s: 14 + index * 5,
  requested_by: 'schedule',
}))

/** @type {Layers} */
export const layers = {
  bronze: {
    state: 'SUCCESS',
    last_run_id: 127,
    updated_at: ago(386),
    pending: 124,
    tables: [...TABLES.slice(0, 2), { name: 'petinsure360.bronze.manifest', rows: 734, version: 4 }],
  },
  silver: {
    state: 'SUCCESS',
    last_run_id: 127,
    updated_at: ago(386),
    pending: 0,
    tables: TABLES.slice(2, 4),
  },
  gold: { state: 'SUCCESS', last_run_id: 127, updated_at: ago(386), pending: 12, tables: TABLES.slice(4) },
}
/** @type {Workspace} */
export const localWorkspace = {
  kind: 'local',
  name: 'Local workspace',
  state: 'ok',
  last_known_at: ago(1),
  detail: null,
}
/** @type {Workspace} */
export const databricks = {
  kind: 'databricks',
  name: 'adb-7405619408519767.7',
  state: 'ok',
  last_known_at: ago(1),
  detail: null,
}
/** @type {Workspace} */
export const degraded = {
  ...databricks,
  state: 'degraded',
  last_known_at: ago(75),
  detail: 'runs/list has not answered for 75 s.',
}
