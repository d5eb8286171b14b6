// @ts-check
/** @import { TaskSetQuality } from '../../api/types.js' */
import { useQuery } from '@tanstack/react-query'
import { count, duration, percent } from '../../lib/format.js'
import { LAYER_NAMES, layerOfTask } from '../../lib/runStates.js'
import { Panel } from '../../components/Page.jsx'
import { useNear } from '../../components/useNear.js'
import { etaQualityQuery } from './api.js'
import classes from './EstimateQuality.module.css'

/** How good the shown times left have been; nothing until runs have ended that had one. */
export function EstimateQuality() {
  const [ref, near] = useNear()
  return <div ref={ref}>{near && <Judged />}</div>
}

function Judged() {
  const { data } = useQuery(etaQualityQuery)
  if (!data || data.task_sets.length === 0) return null
  return (
    <Panel title="How good the time estimates were">
      <p className="dimmed">
        “About 40s–1m left” promises that half of such runs end before the first figure and nine in ten before
        the second. This is what came true, beside what the mean of the last runs or the elapsed fraction
        would have missed by.
      </p>
      <div className={classes.scroll}>
        <table className={classes.table} aria-label="Estimates and what came true, by kind of run">
          <thead>
            <tr>
              {[
                'Runs of',
                'Estimates',
                'Before the first',
                'Before the second',
                'Missed by',
                'Simple guess',
              ].map((name) => (
                <th key={name} scope="col">
                  {name}
                </th>
              ))}
            </tr>
          </thead>
          <tbody>
            {data.task_sets.map((one) => (
              <Row key={one.tasks.join()} quality={one} />
            ))}
          </tbody>
        </table>
      </div>
    </Panel>
  )
}

/** @param {string} taskKey */
const nameOf = (taskKey) => {
  const layer = layerOfTask({ task_key: taskKey })
  return layer ? LAYER_NAMES[layer] : taskKey
}

/** @param {{ quality: TaskSetQuality }} props */
function Row({ quality }) {
  const guesses = Object.values(quality.baselines).map((guess) => guess.pinball_loss_s)
  return (
    <tr>
      <th scope="row">{quality.tasks.map(nameOf).join(' → ')}</th>
      <td>{count(quality.n)}</td>
      <td title="50% is right">{percent(quality.p50_coverage, 0)}</td>
      <td title="90% is right">{percent(quality.p90_coverage, 0)}</td>
      <td title="Mean pinball loss of both figures">{duration(quality.pinball_loss_s)}</td>
      <td title="The better of the two simple guesses">
        {duration(guesses.length ? Math.min(...guesses) : null)}
      </td>
    </tr>
  )
}
