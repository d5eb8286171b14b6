// @ts-check
import { isActive, runKey } from '../../lib/runStates.js'
import { EmptyState, Placeholder } from '../../components/Feedback.jsx'
import { ActiveRun } from './ActiveRun.jsx'
import { EndedRun } from './EndedRun.jsx'
import { useKnown, useLive, useRuns } from './useRunStream.jsx'

/** Every run that has not ended; while there is none, how the last one ended. */
export function RunsNow() {
  const known = useKnown()
  const workspace = useLive((state) => state.workspace)
  const { active, latest } = useRuns()
  if (!known) return <Placeholder height={260} label="Loading the runs" />
  if (active.length > 0)
    return active.map((run) => <ActiveRun key={runKey(run)} run={run} workspace={workspace} />)
  if (latest && !isActive(latest)) return <EndedRun run={latest} />
  return (
    <EmptyState title="No run yet">
      Start with Process Bronze → Silver: it reads what has landed and makes clean tables of it.
    </EmptyState>
  )
}
