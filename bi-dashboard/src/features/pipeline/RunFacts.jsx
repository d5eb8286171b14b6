// @ts-check
/** @import { Run } from '../../api/types.js' */
import { count, dateTime, plural } from '../../lib/format.js'
import { Panel } from '../../components/Page.jsx'
import { CopyButton } from '../../components/CopyButton.jsx'
import classes from './RunFacts.module.css'

const SHOWN = 60

/** Who asked for the run, why, and for which claims. @param {{ run: Run }} props */
export function RunFacts({ run }) {
  const claims = run.claim_ids ?? []
  const facts = [
    ['Requested by', run.requested_by ?? '–'],
    ['Reason', run.reason || '–'],
    ['Requested', dateTime(run.requested_at)],
    ['Started', dateTime(run.started_at)],
    ['Ended', dateTime(run.ended_at)],
    ['Submission', run.submission_id ?? 'Started elsewhere'],
  ]
  return (
    <Panel title="Request">
      <dl className={classes.facts}>
        {facts.map(([name, value]) => (
          <div key={name}>
            <dt>{name}</dt>
            <dd>{value}</dd>
          </div>
        ))}
      </dl>
      <div className={classes.claims}>
        <h3>{claims.length > 0 ? plural(claims.length, 'chosen claim') : 'Everything pending'}</h3>
        {claims.length > 0 && <CopyButton text={claims.join('\n')} label="Copy the ids" />}
      </div>
      <p className={classes.ids}>
        {claims.slice(0, SHOWN).join(' ')}
        {claims.length > SHOWN && ` and ${count(claims.length - SHOWN)} more`}
      </p>
    </Panel>
  )
}
