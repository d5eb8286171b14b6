// @ts-check
/** @import { ConnectionStatus } from '../../services/stream/streamClient.js' */
import { clockTime } from '../../lib/format.js'
import classes from './Shell.module.css'

/** What stands on the page is old knowledge: it stays, and says so. @param {{ connection: ConnectionStatus }} props */
export function OfflineNotice({ connection }) {
  if (connection.state !== 'offline') return null
  return (
    <p role="status" className={classes.notice}>
      <b>Not connected.</b> What you see was last known {clockTime(connection.since)}. The page reconnects by
      itself.
    </p>
  )
}
