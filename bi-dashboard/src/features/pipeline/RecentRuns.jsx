// @ts-check
import { Link } from 'react-router'
import { Panel } from '../../components/Page.jsx'
import { RunRows } from './RunRows.jsx'
import { useRuns } from './useRunStream.jsx'

const SHOWN = 6

/** The last runs, beside the page that starts new ones. */
export function RecentRuns() {
  const { all } = useRuns()
  if (all.length === 0) return null
  return (
    <Panel title="Recent runs" aside={<Link to="/runs">All runs</Link>}>
      <RunRows runs={all.slice(0, SHOWN)} caption="Recent runs" />
    </Panel>
  )
}
