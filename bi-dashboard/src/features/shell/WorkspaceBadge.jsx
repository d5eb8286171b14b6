// @ts-check
/** @import { Workspace } from '../../api/types.js' */
import { Tooltip } from '@mantine/core'
import { IconServer2 } from '@tabler/icons-react'
import { clockTime } from '../../lib/format.js'
import classes from './Marks.module.css'

/** @param {Workspace} workspace */
const workspaceName = (workspace) =>
  workspace.name || (workspace.kind === 'databricks' ? 'Databricks' : 'Local workspace')

/** @param {Workspace} workspace */
function trouble(workspace) {
  if (workspace.state === 'ok') return null
  const known = workspace.last_known_at ? `last known ${clockTime(workspace.last_known_at)}` : 'never reached'
  return `${workspace.state}, ${known}`
}

/** Which workspace runs the notebooks, and whether it answers. @param {{ workspace: Workspace | null }} props */
export function WorkspaceBadge({ workspace }) {
  if (!workspace) return null
  const fault = trouble(workspace)
  const explanation =
    workspace.detail || (fault ? 'The workspace does not answer as it should.' : 'The workspace answers.')
  return (
    <Tooltip label={explanation} multiline maw={300} events={{ hover: true, focus: true, touch: true }}>
      <button type="button" className={classes.pill} data-state={workspace.state} data-workspace>
        <IconServer2 aria-hidden="true" size={15} stroke={1.8} />
        <span className={classes.name}>{workspaceName(workspace)}</span>
        {fault && <span className={classes.fault}>{fault}</span>}
        <span className="hidden-text">{explanation}</span>
      </button>
    </Tooltip>
  )
}
