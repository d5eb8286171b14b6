// @ts-check
/** @import { Pending, PendingBucket } from '../../api/types.js' */
import { Link } from 'react-router'
import { count, plural } from '../../lib/format.js'
import { Panel } from '../../components/Page.jsx'
import classes from './Claims.module.css'

const SHOWN = 12

/** @type {{ key: keyof Pending, name: string }[]} */
const BUCKETS = [
  { key: 'bronze', name: 'Landed, waiting for Bronze' },
  { key: 'silver', name: 'Waiting for Silver' },
  { key: 'gold', name: 'Waiting for Gold' },
  { key: 'quarantined', name: 'In quarantine' },
]

/** Claims that wait before a layer, and those that broke a rule; each leads to where it is. @param {{ pending: Pending }} props */
export function WaitingClaims({ pending }) {
  const told = BUCKETS.filter(({ key }) => (pending[key]?.claim_ids.length ?? 0) > 0)
  return (
    <Panel title="What waits">
      {told.length === 0 && <p className="dimmed">No claim waits, and none is in quarantine.</p>}
      <div className="stack">
        {told.map(({ key, name }) => (
          <Bucket key={key} name={name} bucket={/** @type {PendingBucket} */ (pending[key])} />
        ))}
      </div>
    </Panel>
  )
}

/** @param {{ name: string, bucket: PendingBucket }} props */
function Bucket({ name, bucket }) {
  const shown = bucket.claim_ids.slice(0, SHOWN)
  const more = (bucket.count ?? bucket.claim_ids.length) - shown.length
  return (
    <div>
      <h3 className={classes.bucket}>
        {name} <span className="dimmed">{plural(bucket.count ?? bucket.claim_ids.length, 'claim')}</span>
      </h3>
      <ul className={classes.ids}>
        {shown.map((claimId) => (
          <li key={claimId}>
            <Link to={`/claims?id=${encodeURIComponent(claimId)}`}>{claimId}</Link>
          </li>
        ))}
        {more > 0 && <li className="dimmed">and {count(more)} more</li>}
      </ul>
    </div>
  )
}
