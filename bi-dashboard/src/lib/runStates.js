// @ts-check
/** @import { Layer, Run, RunAction, RunLayer, Task } from '../api/types.js' */

/**
 * What a state looks like: always a shape and a word, the colour comes last.
 * @typedef {'success' | 'failed' | 'active' | 'starting' | 'waiting' | 'skipped' | 'canceled' | 'attention' | 'unknown'} StateKind
 * @typedef {{ kind: StateKind, word: string }} Face
 */

/** @type {Layer[]} */
export const LAYERS = ['bronze', 'silver', 'gold']
/** @type {Record<RunLayer, string>} */
export const LAYER_NAMES = { bronze: 'Bronze', silver: 'Silver', gold: 'Gold', all: 'All layers' }

const TASKS = /** @type {Record<string, { layer: Layer, notebook: string }>} */ ({
  bronze_ingestion: { layer: 'bronze', notebook: '01_bronze_ingestion' },
  silver_transformations: { layer: 'silver', notebook: '02_silver_transformations' },
  gold_aggregations: { layer: 'gold', notebook: '03_gold_aggregations' },
})

/** Tasks of a job that somebody else made have other keys; their notebook or their key still tells the layer. @param {Task} task @returns {Layer | null} */
export function layerOfTask(task) {
  const known = TASKS[task.task_key]
  if (known) return known.layer
  const text = `${task.notebook_path ?? ''} ${task.task_key}`.toLowerCase()
  return LAYERS.find((layer) => text.includes(layer)) ?? null
}

/** @param {Task} task */
export function notebookOfTask(task) {
  const path = task.notebook_path?.split('/').pop()
  return path || TASKS[task.task_key]?.notebook || task.task_key
}

/** @param {Task} task */
export const taskName = (task) => {
  const layer = layerOfTask(task)
  return layer ? LAYER_NAMES[layer] : task.task_key
}

const TERMINAL = new Set(['TERMINATED', 'SKIPPED', 'INTERNAL_ERROR'])
const DEAD_SUBMISSIONS = new Set(['REFUSED', 'LOST'])

/** An unknown state is not an end. @param {Run | Task} item */
export const isOver = (item) => TERMINAL.has(item.state ?? '') || Boolean(item.result)

/** @param {Run} run */
export function isActive(run) {
  if (DEAD_SUBMISSIONS.has(run.submission_state ?? '')) return false
  if (run.active !== undefined) return run.active
  return !isOver(run) && !run.error
}

/** @param {Run} run */
export const isAccepted = (run) => run.run_id !== null && run.run_id !== undefined

/** @param {Run | Task} item */
export const succeeded = (item) => item.result === 'SUCCESS' || item.result === 'SUCCESS_WITH_FAILURES'

/** @type {Record<string, Face>} */
const RESULTS = {
  SUCCESS: { kind: 'success', word: 'Succeeded' },
  SUCCESS_WITH_FAILURES: { kind: 'attention', word: 'Succeeded with failures' },
  FAILED: { kind: 'failed', word: 'Failed' },
  TIMEDOUT: { kind: 'failed', word: 'Timed out' },
  CANCELED: { kind: 'canceled', word: 'Canceled' },
  UPSTREAM_CANCELED: { kind: 'skipped', word: 'Skipped' },
  UPSTREAM_FAILED: { kind: 'skipped', word: 'Skipped' },
  EXCLUDED: { kind: 'skipped', word: 'Not selected' },
  DISABLED: { kind: 'skipped', word: 'Disabled' },
  MAXIMUM_CONCURRENT_RUNS_REACHED: { kind: 'failed', word: 'Too many runs' },
}
/** @type {Record<string, Face>} */
const STATES = {
  RUNNING: { kind: 'active', word: 'Running' },
  PENDING: { kind: 'starting', word: 'Starting' },
  QUEUED: { kind: 'waiting', word: 'Queued' },
  BLOCKED: { kind: 'waiting', word: 'Waiting' },
  WAITING: { kind: 'waiting', word: 'Waiting' },
  WAITING_FOR_RETRY: { kind: 'waiting', word: 'Waiting to retry' },
  TERMINATING: { kind: 'starting', word: 'Stopping' },
  SKIPPED: { kind: 'skipped', word: 'Skipped' },
  INTERNAL_ERROR: { kind: 'failed', word: 'Internal error' },
  TERMINATED: { kind: 'unknown', word: 'Ended' },
}
/** @type {Record<string, Face>} */
const SUBMISSIONS = {
  RECORDED: { kind: 'starting', word: 'Sending' },
  QUEUED: { kind: 'waiting', word: 'Queued' },
  SUBMITTING: { kind: 'attention', word: 'Not accepted yet' },
  REFUSED: { kind: 'failed', word: 'Refused' },
  LOST: { kind: 'failed', word: 'Lost' },
}

/** A state nobody told us about is shown by its raw name. @param {string} raw @returns {Face} */
const unknownFace = (raw) => ({ kind: 'unknown', word: raw })

/** @param {{ state?: string | null, result?: string | null }} item @returns {Face} */
export function faceOf({ state, result }) {
  if (result) return RESULTS[result] ?? unknownFace(result)
  if (state) return STATES[state] ?? unknownFace(state)
  return { kind: 'waiting', word: 'Waiting' }
}

/** @param {Run} run @returns {Face} */
export function runFace(run) {
  if (isAccepted(run)) return faceOf(run)
  return SUBMISSIONS[run.submission_state ?? ''] ?? (run.error ? faceOf({ result: 'FAILED' }) : faceOf(run))
}

/** The layers a run works on, in order. @param {Run} run @returns {Layer[]} */
export function layersOf(run) {
  const found = run.tasks.map(layerOfTask).filter((layer) => layer !== null)
  if (found.length > 0) return LAYERS.filter((layer) => found.includes(layer))
  return run.layer === 'all' ? LAYERS : [run.layer]
}

/** "Bronze → Silver" @param {Run} run */
export const routeOf = (run) =>
  layersOf(run)
    .map((layer) => LAYER_NAMES[layer])
    .join(' → ')

/** The click that would start the same tasks again. @param {Run} run @returns {RunAction} */
export function actionOf(run) {
  const layers = layersOf(run).join()
  if (layers === 'bronze,silver') return { layer: 'silver', process: 'bronze-to-silver' }
  return { layer: layers === 'bronze,silver,gold' ? 'all' : run.layer }
}

/** @param {Run} run @returns {Task | null} */
export function currentTask(run) {
  const open = run.tasks.filter((task) => !isOver(task))
  return (
    open.find((task) => task.state === 'RUNNING') ??
    open.find((task) => task.task_key === run.task) ??
    open[0] ??
    null
  )
}

/** @param {Run} run */
export const runKey = (run) => (isAccepted(run) ? `run:${run.run_id}` : `submission:${run.submission_id}`)
