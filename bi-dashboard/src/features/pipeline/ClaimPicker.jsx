// @ts-check
/** @import { ClaimChoice } from './useClaimChoice.js' */
import { useState } from 'react'
import { useQuery } from '@tanstack/react-query'
import { Button, Pill, Textarea, TextInput } from '@mantine/core'
import { MAX_CLAIM_IDS } from '../../lib/claimIds.js'
import { count, plural } from '../../lib/format.js'
import { LAYER_NAMES, LAYERS } from '../../lib/runStates.js'
import { pendingQuery } from './api.js'
import classes from './ClaimPicker.module.css'

const SHOWN = 24

/** Chooses the claims a run is for. @param {{ choice: ClaimChoice }} props */
export function ClaimPicker({ choice }) {
  const [text, setText] = useState('')
  const add = () => {
    choice.add(text)
    setText('')
  }
  return (
    <div className={classes.picker}>
      <div className={classes.column}>
        <Textarea
          label="Claims"
          description={`Type or paste ids, apart by spaces, commas or lines; at most ${count(MAX_CLAIM_IDS)}. Nothing chosen means everything pending.`}
          placeholder="CLM-000123, CLM-000124"
          rows={2}
          value={text}
          onChange={(event) => setText(event.currentTarget.value)}
          onKeyDown={(event) => {
            if (event.key === 'Enter' && !event.shiftKey) {
              event.preventDefault()
              add()
            }
          }}
          onPaste={(event) => {
            event.preventDefault()
            choice.add(`${text} ${event.clipboardData.getData('text')}`)
            setText('')
          }}
        />
        <div className="row">
          <Button variant="default" onClick={add} disabled={text.trim() === ''}>
            Add claims
          </Button>
          <PendingOffer choice={choice} />
        </div>
        <Faults choice={choice} />
      </div>
      <div className={classes.column}>
        <TextInput
          label="Reason"
          description="Kept with the run, for those who look later."
          maxLength={200}
          value={choice.reason}
          onChange={(event) => choice.setReason(event.currentTarget.value)}
        />
        <Chosen choice={choice} />
      </div>
    </div>
  )
}

/** @param {{ choice: ClaimChoice }} props */
function PendingOffer({ choice }) {
  const { data } = useQuery(pendingQuery)
  if (!data) return null
  return LAYERS.map((layer) => {
    const bucket = data[layer]
    if (!bucket?.claim_ids?.length) return null
    return (
      <Button key={layer} variant="subtle" px={8} onClick={() => choice.add(bucket.claim_ids.join(' '))}>
        {`Add ${plural(bucket.claim_ids.length, 'claim')} pending for ${LAYER_NAMES[layer]}`}
      </Button>
    )
  })
}

/** @param {{ choice: ClaimChoice }} props */
function Faults({ choice: { invalid, leftOut } }) {
  return (
    <div role="status" className={classes.faults}>
      {invalid.length > 0 && (
        <p>
          {plural(invalid.length, 'entry is', 'entries are')} not a claim id:{' '}
          {invalid
            .slice(0, 5)
            .map((text) => text.slice(0, 40))
            .join(', ')}
          {invalid.length > 5 && '…'}. An id has letters, digits and _ . : - only, begins with a letter or
          digit, and has at most 64 characters.
        </p>
      )}
      {leftOut > 0 && (
        <p>{`${plural(leftOut, 'claim')} left out: one run takes at most ${count(MAX_CLAIM_IDS)}.`}</p>
      )}
    </div>
  )
}

/** @param {{ choice: ClaimChoice }} props */
function Chosen({ choice }) {
  const { claimIds } = choice
  if (claimIds.length === 0)
    return <p className="dimmed small">No claims chosen: the next click takes everything pending.</p>
  return (
    <div className={classes.chosen}>
      <div className="row">
        <b>{plural(claimIds.length, 'claim')} chosen</b>
        <Button variant="subtle" size="compact-sm" onClick={choice.clear}>
          Clear
        </Button>
      </div>
      <ul className={classes.chips} aria-label="Chosen claims">
        {claimIds.slice(0, SHOWN).map((claimId) => (
          <li key={claimId}>
            <Pill
              withRemoveButton
              size="md"
              onRemove={() => choice.remove(claimId)}
              removeButtonProps={{ 'aria-label': `Remove ${claimId}`, tabIndex: 0 }}
            >
              {claimId}
            </Pill>
          </li>
        ))}
        {claimIds.length > SHOWN && <li className="dimmed">and {count(claimIds.length - SHOWN)} more</li>}
      </ul>
    </div>
  )
}
