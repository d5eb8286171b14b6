// @ts-check
/** @import { Workspace } from '../../api/types.js' */
import { clockTime } from '../../lib/format.js'
import classes from './RefusedClick.module.css'

/** An outage is said as what it is: old knowledge, never a failure. @param {{ workspace: Workspace | null }} props */
export function WorkspaceNotice({ workspace }) {
  if (!workspace || workspace.state === 'ok') return null
  const since = workspace.last_known_at
    ? `What you see was last known ${clockTime(workspace.last_known_at)}.`
    : 'It was not reached yet.'
  return (
    <div role="status" className={classes.refused} data-conflict>
      <p>
        <b>The workspace does not answer as it should.</b> {since} Clicks are kept and sent when it is back.{' '}
        {workspace.detail}
      </p>
    </div>
  )
}
