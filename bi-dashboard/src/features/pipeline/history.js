// @ts-check
/** @import { Run } from '../../api/types.js' */
import { isActive, runKey } from '../../lib/runStates.js'
import { normalised } from './runReducer.js'
import { newestFirst } from './useRunStream.jsx'

/** The values are the workspace's own words; `active` stands for every state that is not an end. */
export const RESULT_FILTERS = [
  { value: '', label: 'Every state' },
  { value: 'active', label: 'Active' },
  { value: 'SUCCESS', label: 'Succeeded' },
  { value: 'FAILED', label: 'Failed' },
  { value: 'CANCELED', label: 'Canceled' },
  { value: 'TIMEDOUT', label: 'Timed out' },
  { value: 'REFUSED', label: 'Refused' },
]

/** @param {Run} run @param {{ layer: string | null, state: string | null }} filter */
export function matches(run, { layer, state }) {
  if (layer && run.layer !== layer) return false
  if (!state) return true
  if (state === 'active') return isActive(run)
  return [run.result, run.state, run.submission_state].includes(state)
}

/**
 * Pages of history were true when they were fetched; what the stream says about the same run is newer.
 * Runs that began since stand on top; live runs older than the oldest page wait for their page.
 *
 * @param {Run[]} fetched @param {Run[]} live
 */
export function withLive(fetched, live) {
  const news = new Map(live.map((run) => [runKey(run), run]))
  const known = fetched.map((run) => news.get(runKey(run)) ?? normalised(run, ''))
  const keys = new Set(known.map(runKey))
  const oldest = fetched.at(-1)?.requested_at ?? ''
  const added = live.filter((run) => !keys.has(runKey(run)) && (run.requested_at ?? '9') >= oldest)
  return newestFirst([...known, ...added])
}
