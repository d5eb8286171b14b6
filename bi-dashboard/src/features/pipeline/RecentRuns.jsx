// @ts-check
import { Link } from 'react-router'
import { Placeholder } from '../../components/Feedback.jsx'
import { Panel } from '../../components/Page.jsx'
import { useNear } from '../../components/useNear.js'
import { RunRows } from './RunRows.jsx'
import { useRuns } from './useRunStream.jsx'

const SHOWN = 6
const ROW_HEIGHT = 41

/** The last runs, beside the page that starts new ones. */
export function RecentRuns() {
  const { all } = useRuns()
  const [ref, near] = useNear()
  const runs = all.slice(0, SHOWN)
  return (
    <div ref={ref}>
      {runs.length > 0 && (
        <Panel title="Recent runs" aside={<Link to="/runs">All runs</Link>}>
          {near ? (
            <RunRows runs={runs} caption="Recent runs" />
          ) : (
            <Placeholder height={ROW_HEIGHT * (runs.length + 1)} label="Loading the recent runs" />
          )}
        </Panel>
      )}
    </div>
  )
}
