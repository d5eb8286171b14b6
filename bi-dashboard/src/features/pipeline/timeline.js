// @ts-check
/** @import { Run, Task } from '../../api/types.js' */
/** @import { Face } from '../../lib/runStates.js' */
import { parseInstant } from '../../lib/format.js'
import { faceOf, isActive, isOver, notebookOfTask, taskName } from '../../lib/runStates.js'

/**
 * A bar begins `from` seconds after the run was requested. `to` is null while it grows.
 * @typedef {{ from: number, to: number | null, face: Face, attempt?: number }} Bar
 * @typedef {{ key: string, name: string, hint?: string, bars: Bar[], face: Face | null }} Row
 */

/** @type {Record<string, { name: string, face: Face }>} */
const PHASES = {
  queued: { name: 'Queue', face: { kind: 'waiting', word: 'Queued' } },
  cluster_starting: { name: 'Cluster start-up', face: { kind: 'starting', word: 'Cluster starting' } },
}

/** @param {Run} run */
function origin(run) {
  const repaired = (run.attempt ?? 0) > 0 ? parseInstant(run.started_at) : null
  if (repaired !== null) return repaired
  const instants = [run.requested_at, run.started_at, run.tasks[0]?.started_at]
    .map(parseInstant)
    .filter((ms) => ms !== null)
  return instants.length > 0 ? Math.min(...instants) : null
}

/** @param {Task} task @param {number} start @param {boolean} over @returns {Bar | null} */
function taskBar(task, start, over) {
  const began = parseInstant(task.started_at)
  if (began === null) return null
  const from = (began - start) / 1000 + (task.setup_s ?? 0)
  const ended = parseInstant(task.ended_at)
  const measured =
    ended !== null
      ? (ended - start) / 1000
      : task.duration_s != null
        ? (began - start) / 1000 + task.duration_s
        : null
  const to = measured ?? (over ? from : null)
  return {
    from,
    to: to === null ? null : Math.max(from, to),
    face: faceOf(task),
    attempt: task.attempt_number ?? undefined,
  }
}

/** @param {Run} run @param {number} start @returns {Row[]} */
function phaseRows(run, start) {
  return Object.entries(PHASES).flatMap(([phase, { name, face }]) => {
    const told = (run.phases ?? []).filter((item) => item.phase === phase)
    const bars = told.map((item) => {
      const [from, to] = [parseInstant(item.started_at), parseInstant(item.ended_at)]
      return {
        from: Math.max(0, ((from ?? start) - start) / 1000),
        to: to === null ? null : (to - start) / 1000,
        face,
      }
    })
    const measured = phase === 'cluster_starting' ? setupBars(run, start, face) : queueBars(run, face)
    const long = (measured.length > 0 ? measured : bars).filter(
      (bar) => bar.to === null || bar.to - bar.from >= 0.2,
    )
    return long.length > 0 ? [{ key: phase, name, bars: long, face: null }] : []
  })
}

/** @param {Run} run @param {Face} face @returns {Bar[]} */
const queueBars = (run, face) => (run.queue_s ? [{ from: 0, to: run.queue_s, face }] : [])

/** @param {Run} run @param {number} start @param {Face} face @returns {Bar[]} */
function setupBars(run, start, face) {
  const first = run.tasks.find((task) => (task.setup_s ?? 0) > 0)
  const began = parseInstant(first?.started_at)
  if (!first || began === null) return []
  const from = (began - start) / 1000
  return [{ from, to: from + (first.setup_s ?? 0), face }]
}

/**
 * The rows of the timeline. A running run has bars without an end; the drawer lets them grow to now.
 *
 * @param {Run} run @returns {{ start: number, rows: Row[], end: number | null } | null}
 */
export function timelineOf(run) {
  const start = origin(run)
  if (start === null) return null
  const over = !isActive(run)
  const taskRows = run.tasks.map((task) => ({
    key: task.task_key,
    name: taskName(task),
    hint: notebookOfTask(task),
    bars: [...(task.attempts ?? []), task]
      .map((attempt) => taskBar(attempt, start, over || isOver(attempt)))
      .filter((bar) => bar !== null)
      .filter((bar) => bar.to === null || bar.to >= 0), // what a repair reuses came before it
    face: faceOf(task),
  }))
  const rows = [...phaseRows(run, start), ...taskRows]
  const ends = rows.flatMap((row) => row.bars.map((bar) => bar.to ?? 0))
  const runEnd = parseInstant(run.ended_at)
  const known = [...ends, runEnd === null ? 0 : (runEnd - start) / 1000]
  return { start, rows, end: over ? Math.max(0.1, ...known) : null }
}

const STEPS = [
  0.1, 0.2, 0.5, 1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 14_400, 43_200, 86_400,
]

/** Round instants along the axis, at most six. @param {number} span  seconds */
export function ticks(span) {
  const step = STEPS.find((candidate) => span / candidate <= 6) ?? span
  return Array.from({ length: Math.floor(span / step) + 1 }, (_, index) => Number((index * step).toFixed(3)))
}
