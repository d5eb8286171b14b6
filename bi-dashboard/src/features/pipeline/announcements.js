// @ts-check
/** @import { Run } from '../../api/types.js' */
import { count, duration } from '../../lib/format.js'
import {
  currentTask,
  isAccepted,
  isActive,
  notebookOfTask,
  routeOf,
  runKey,
  succeeded,
  taskName,
} from '../../lib/runStates.js'

/** @param {Run} run */
export const runName = (run) => (isAccepted(run) ? `Run ${run.run_id}` : 'The request')

/** What an active run does now, to be said after its name. @param {Run} run */
export function phaseWords(run) {
  if (!isAccepted(run))
    return run.submission_state === 'SUBMITTING' ? 'is not accepted by the workspace yet' : 'was sent'
  if (run.state === 'QUEUED' || run.phase === 'queued') return 'is queued'
  if (run.phase === 'cluster_starting') return 'waits for the cluster to start'
  if (run.state === 'TERMINATING') return 'is stopping'
  const task = run.state === 'RUNNING' ? currentTask(run) : null
  return task ? `is at ${taskName(task)}, notebook ${notebookOfTask(task)}` : 'was accepted'
}

/** What a screen reader hears of a run: one sentence per phase, never one per second. @param {Run} run */
export function announcement(run) {
  if (isActive(run)) return `${runName(run)}, ${routeOf(run)}, ${phaseWords(run)}.`
  if (succeeded(run))
    return `${runName(run)} succeeded in ${duration(run.duration_s)}, ${count(run.records?.out)} records out.`
  return `${runName(run)} ended: ${run.error?.message ?? run.result ?? 'unknown reason'}.`
}

/**
 * What changed between two looks at the runs. Runs that are seen for the first time and have ended already are history.
 *
 * @param {Record<string, Run>} before @param {Record<string, Run>} after
 */
export function changes(before, after) {
  const runs = Object.values(after).filter((run) => before[runKey(run)] !== run)
  /** @param {Run} run */
  const previous = (run) =>
    before[runKey(run)] ?? (run.submission_id ? before[`submission:${run.submission_id}`] : undefined)
  const ended = runs.filter(
    (run) => !isActive(run) && previous(run) !== undefined && isActive(/** @type {Run} */ (previous(run))),
  )
  const spoken = runs.filter((run) => isActive(run) || ended.includes(run))
  const news = spoken
    .map((run) => ({ run, text: announcement(run) }))
    .filter(({ run, text }) => {
      const earlier = previous(run)
      return !earlier || announcement(earlier) !== text
    })
  return { ended, news }
}
