// @ts-check
import { Link } from 'react-router'
import { Button } from '@mantine/core'
import { runFace } from '../../lib/runStates.js'
import { StateMark } from '../../components/StateMark.jsx'
import { useLiveRun } from './useRunStream.jsx'
import { useTrigger } from './useRunActions.jsx'
import classes from './RefusedClick.module.css'

/** The last click that the server said no to, in its words, with the ways on. */
export function RefusedClick() {
  const { refused } = useTrigger()
  if (!refused) return null
  const conflict = refused.error.status === 409 && 'run_id' in (refused.error.details ?? {})
  return (
    <div role="alert" className={`${classes.refused} ${classes.after}`} data-conflict={conflict || undefined}>
      {conflict ? <Conflict runId={refused.error.details.run_id} /> : <Plain />}
    </div>
  )
}

/** @param {{ runId: number | null }} props  null while the other click has no run yet */
function Conflict({ runId }) {
  const { refused, trigger, settle } = useTrigger()
  const run = useLiveRun(runId ?? '')
  if (!refused) return null
  return (
    <>
      <p>
        <b>{runId === null ? 'Another click' : `Run ${runId}`} works on this already.</b>{' '}
        {run && <StateMark face={runFace(run)} small />} Nothing was started.
      </p>
      <div className="row">
        <Button onClick={() => trigger(refused.action, { ...refused.options, if_active: 'queue' })}>
          Queue
        </Button>
        {runId !== null && (
          <Button component={Link} to={`/runs/${runId}`} variant="default" onClick={settle}>
            Watch it
          </Button>
        )}
        <Button variant="subtle" onClick={settle}>
          Dismiss
        </Button>
      </div>
    </>
  )
}

function Plain() {
  const { refused, trigger, settle } = useTrigger()
  if (!refused) return null
  const bad = refused.error.details?.invalid
  return (
    <>
      <p>
        <b>Not started.</b> {refused.error.message} {Array.isArray(bad) && bad.slice(0, 5).join(', ')}
      </p>
      <div className="row">
        <Button onClick={() => trigger(refused.action, refused.options)}>Try again</Button>
        <Button variant="subtle" onClick={settle}>
          Dismiss
        </Button>
      </div>
    </>
  )
}
