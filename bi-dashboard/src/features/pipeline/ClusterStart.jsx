// @ts-check
/** @import { Run } from '../../api/types.js' */
import { elapsed, estimateRange, secondsBetween } from '../../lib/format.js'
import { isActive } from '../../lib/runStates.js'
import { Elapsed } from '../../components/Times.jsx'
import { useRuns } from './useRunStream.jsx'
import classes from './ActiveRun.module.css'

const ENOUGH = 3

/** Seconds the cluster took to start in a run that had to wait for it. @param {Run} run */
function startSeconds(run) {
  const phase = run.phases?.find((item) => item.phase === 'cluster_starting')
  return (
    secondsBetween(phase?.started_at, phase?.ended_at) ??
    run.tasks.find((task) => (task.setup_s ?? 0) > 0)?.setup_s ??
    null
  )
}

/** What cluster start-ups took lately, from the second fastest to the second slowest. @param {Run[]} runs */
export function usualStart(runs) {
  const known = runs.filter((run) => !isActive(run)).map(startSeconds)
  const seconds = known.filter((value) => value !== null && value > 0.5).sort((a, b) => Number(a) - Number(b))
  if (seconds.length < ENOUGH) return null
  const trim = seconds.length > 4 ? 1 : 0
  return { low: Number(seconds[trim]), high: Number(seconds[seconds.length - 1 - trim]) }
}

/** The cluster is starting: for how long, and how long that usually takes. @param {{ run: Run }} props */
export function ClusterStart({ run }) {
  const { all } = useRuns()
  const phase = run.phases?.findLast((item) => item.phase === 'cluster_starting')
  const usual = usualStart(all)
  return (
    <div className={classes.cluster}>
      <b>Cluster starting</b>
      <span>
        <Elapsed from={phase?.started_at ?? run.started_at ?? run.requested_at} /> so far
      </span>
      <span className="dimmed">
        {usual
          ? `usually ${usual.high - usual.low < 1 ? elapsed(Math.round(usual.high)) : estimateRange(usual.low, usual.high)}`
          : 'no usual time known yet'}
      </span>
    </div>
  )
}
