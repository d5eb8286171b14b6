// @ts-check
/** @import { Run } from '../../api/types.js' */
import { Link } from 'react-router'
import { count, duration } from '../../lib/format.js'
import { faceOf, isAccepted, isActive, routeOf, runFace, runKey, taskName } from '../../lib/runStates.js'
import { StateMark, StateSquares } from '../../components/StateMark.jsx'
import { Elapsed, When } from '../../components/Times.jsx'
import classes from './RunRows.module.css'

/** @param {Run[]} runs */
const longest = (runs) => Math.max(1, ...runs.map((run) => run.duration_s ?? 0))

/** Runs as rows; the whole row leads to the run. @param {{ runs: Run[], caption: string }} props */
export function RunRows({ runs, caption }) {
  const scale = longest(runs)
  return (
    <table className={classes.table}>
      <caption className="hidden-text">{caption}</caption>
      <thead>
        <tr>
          <th scope="col">Run</th>
          <th scope="col">State</th>
          <th scope="col">Tasks</th>
          <th scope="col">Duration</th>
          <th scope="col" className={classes.wide}>
            Records out
          </th>
          <th scope="col" className={classes.wide}>
            Requested by
          </th>
          <th scope="col">Started</th>
        </tr>
      </thead>
      <tbody>
        {runs.map((run) => (
          <RunRow key={runKey(run)} run={run} scale={scale} />
        ))}
      </tbody>
    </table>
  )
}

/** @param {{ run: Run, scale: number }} props */
function RunRow({ run, scale }) {
  const name = isAccepted(run) ? `Run ${run.run_id}` : 'Request'
  return (
    <tr>
      <td className={classes.name}>
        {isAccepted(run) ? (
          <Link className={classes.link} to={`/runs/${run.run_id}`}>
            {name}
          </Link>
        ) : (
          name
        )}
        <span className="dimmed">{routeOf(run)}</span>
      </td>
      <td>
        <StateMark face={runFace(run)} small />
      </td>
      <td>
        <StateSquares squares={run.tasks.map((task) => ({ name: taskName(task), face: faceOf(task) }))} />
      </td>
      <td className="tabular">
        <span className={classes.meter} aria-hidden="true">
          <span style={{ width: `${Math.min(100, ((run.duration_s ?? 0) / scale) * 100)}%` }} />
        </span>
        {isActive(run) ? <Elapsed from={run.started_at ?? run.requested_at} /> : duration(run.duration_s)}
      </td>
      <td className={`${classes.wide} tabular`}>{count(run.records?.out)}</td>
      <td className={classes.wide}>{run.requested_by ?? '–'}</td>
      <td>
        <When at={run.started_at ?? run.requested_at} />
      </td>
    </tr>
  )
}
