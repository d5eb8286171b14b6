// @ts-check
import { useQuery } from '@tanstack/react-query'
import { clockTime } from '../../lib/format.js'
import { statusQuery } from './api.js'
import classes from './RefusedClick.module.css'

/** Stands beside counts and figures while the tables cannot be read: what is shown is older than the tables. */
export function LakeNotice() {
  const { data } = useQuery(statusQuery)
  const lake = data?.lake
  if (!lake?.detail) return null
  const since = lake.refreshed_at ? ` Last tried ${clockTime(lake.refreshed_at)}.` : ''
  return (
    <div role="status" className={classes.refused} data-conflict>
      <p>
        <b>The tables could not be read.</b> {lake.detail}
        {since}
      </p>
    </div>
  )
}
