// @ts-check
/** @import { Run, Task } from '../../api/types.js' */
/** @import { Face } from '../../lib/runStates.js' */
import { parseInstant } from '../../lib/format.js'
import { faceOf, isActive, isOver, notebookOfTask, taskName } from '../../lib/runStates.js'

/**
 * A bar begins `from` seconds after the run was requested. `to` is null while it grows.
 * `over` is false for a row whose task has still to come.
 * @typedef {{ from: number, to: number | null, face: Face, attempt?: number }} Bar
 * @typedef {{ key: string, name: string, hint?: string, bars: Bar[], face: Face | null, over: boolean }} Row
 */

/**
 * A pause in which nothing of the run was executing, between an end and a repair. It is cut out of the picture:
 * what comes after it moves `cut` seconds to the left.
 * @typedef {{ from: number, to: number, cut: number }} Pause
 */

/** @type {Record<string, { name: string, face: Face }>} */
const PHASES = {
  queued: { name: 'Queue', face: { kind: 'waiting', word: 'Queued' } },
  cluster_starting: { name: 'Cluster start-up', face: { kind: 'starting', word: 'Cluster starting' } },
}

/** Every attempt of every task. @param {Run} run */
const attemptsOf = (run) => run.tasks.flatMap((task) => [...(task.attempts ?? []), task])

/** @param {Run} run */
const isRepaired = (run) => (run.attempt ?? 0) > 0

/** @param {Run} run */
function origin(run) {
  const instants = [run.requested_at, run.started_at, ...attemptsOf(run).map((task) => task.started_at)]
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
    return long.length > 0 ? [{ key: phase, name, bars: long, face: null, over: true }] : []
  })
}

/** `queue_s` is that of the newest attempt; of earlier ones only the phases tell. @param {Run} run @param {Face} face @returns {Bar[]} */
const queueBars = (run, face) => (run.queue_s && !isRepaired(run) ? [{ from: 0, to: run.queue_s, face }] : [])

/** @param {Run} run @param {number} start @param {Face} face @returns {Bar[]} */
function setupBars(run, start, face) {
  return attemptsOf(run).flatMap((attempt) => {
    const began = parseInstant(attempt.started_at)
    if (began === null || !attempt.setup_s) return []
    const from = (began - start) / 1000
    return [{ from, to: from + attempt.setup_s, face }]
  })
}

const NOTICEABLE_PAUSE_S = 0.5
/** The share of the time worked that stays of a pause, so that it can be seen. */
const PAUSE_SHOWN = 0.03

/** @param {Run} run @param {number} start @param {Row[]} rows @returns {Pause[]} */
function pausesOf(run, start, rows) {
  const again = parseInstant(run.started_at)
  if (!isRepaired(run) || again === null) return []
  const newest = { from: (again - start) / 1000, to: null }
  const spans = [...rows.flatMap((row) => row.bars), newest].sort((a, b) => a.from - b.from)
  const pauses = []
  let [reached, worked] = [spans[0]?.from ?? 0, 0]
  for (const { from, to } of spans) {
    if (from - reached > NOTICEABLE_PAUSE_S) pauses.push({ from: reached, to: from })
    worked += Math.max(0, (to ?? from) - Math.max(from, reached))
    reached = Math.max(reached, to ?? (isActive(run) ? Infinity : from))
  }
  return pauses.map(({ from, to }) => ({ from, to, cut: Math.max(0, to - from - worked * PAUSE_SHOWN) }))
}

/** Where an instant stands in a picture without the pauses. @param {Pause[]} pauses @param {number} seconds */
export const placed = (pauses, seconds) =>
  pauses.reduce(
    (place, { from, to, cut }) => place - cut * Math.min(1, Math.max(0, (seconds - from) / (to - from))),
    seconds,
  )

/** @param {Pause[]} pauses @param {Row} row @returns {Row} */
const withoutPauses = (pauses, row) => ({
  ...row,
  bars: row.bars.map((bar) => ({
    ...bar,
    from: placed(pauses, bar.from),
    to: bar.to === null ? null : placed(pauses, bar.to),
  })),
})

/** @param {Run} run @param {number} start @returns {Row[]} */
const taskRows = (run, start) =>
  run.tasks.map((task) => ({
    key: task.task_key,
    name: taskName(task),
    hint: notebookOfTask(task),
    bars: [...(task.attempts ?? []), task]
      .map((attempt) => taskBar(attempt, start, !isActive(run) || isOver(attempt)))
      .filter((bar) => bar !== null),
    face: faceOf(task),
    over: isOver(task),
  }))

/**
 * The rows of the timeline. A running run has bars without an end; the drawer lets them grow to now.
 *
 * @param {Run} run @returns {{ start: number, rows: Row[], pauses: Pause[], end: number | null } | null}
 */
export function timelineOf(run) {
  const start = origin(run)
  if (start === null) return null
  const measured = [...phaseRows(run, start), ...taskRows(run, start)]
  const pauses = pausesOf(run, start, measured)
  const rows = measured.map((row) => withoutPauses(pauses, row))
  if (isActive(run)) return { start, rows, pauses, end: null }
  const runEnd = parseInstant(run.ended_at)
  const ends = rows.flatMap((row) => row.bars.map((bar) => bar.to ?? 0))
  const known = [...ends, runEnd === null ? 0 : placed(pauses, (runEnd - start) / 1000)]
  return { start, rows, pauses, end: Math.max(0.1, ...known) }
}

const STEPS = [
  0.1, 0.2, 0.5, 1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 14_400, 43_200, 86_400,
]

/** Round instants along the axis, at most six. @param {number} span  seconds */
export function ticks(span) {
  const step = STEPS.find((candidate) => span / candidate <= 6) ?? span
  return Array.from({ length: Math.floor(span / step) + 1 }, (_, index) => Number((index * step).toFixed(3)))
}
