// @ts-check
/** @import { ConnectionStatus } from '../../services/stream/streamClient.js' */
import { Tooltip } from '@mantine/core'
import { clockTime, hourMinute } from '../../lib/format.js'
import classes from './Marks.module.css'

/** @param {ConnectionStatus} connection */
function words({ state, since }) {
  if (state === 'live') return 'Live'
  if (state === 'offline') return `Offline since ${hourMinute(since)}`
  return state === 'connecting' ? 'Connecting' : 'Reconnecting'
}

/** @param {ConnectionStatus} connection */
function explanation({ state, transport, since, reason }) {
  if (state === 'live') return `Events arrive over ${transport}, connected at ${clockTime(since)}.`
  if (state === 'connecting') return 'Connecting to the event stream.'
  return `The page shows what was known at ${clockTime(since)}${reason ? ` (${reason})` : ''}. It reconnects by itself.`
}

/** Whether what the page shows is live. @param {{ connection: ConnectionStatus }} props */
export function ConnectionMark({ connection }) {
  return (
    <Tooltip
      label={explanation(connection)}
      multiline
      maw={280}
      events={{ hover: true, focus: true, touch: true }}
    >
      <button type="button" className={classes.pill} data-state={connection.state}>
        <span className={classes.dot} aria-hidden="true" />
        <span role="status">{words(connection)}</span>
        <span className="hidden-text">{explanation(connection)}</span>
      </button>
    </Tooltip>
  )
}
