// @ts-check
import { useRef } from 'react'
import { useMutation } from '@tanstack/react-query'
import { Button, TextInput } from '@mantine/core'
import { errorWords } from '../../components/Feedback.jsx'
import { Panel } from '../../components/Page.jsx'
import { landClaim } from './api.js'
import classes from './Claims.module.css'

const FIELDS = [
  { name: 'claim_id', label: 'Claim id', placeholder: 'made for you when empty' },
  { name: 'policy_id', label: 'Policy id' },
  { name: 'pet_id', label: 'Pet id' },
  { name: 'customer_id', label: 'Customer id' },
  { name: 'diagnosis', label: 'Diagnosis' },
  { name: 'service_date', label: 'Service date', placeholder: 'YYYY-MM-DD' },
  { name: 'submitted_date', label: 'Submitted', placeholder: 'YYYY-MM-DD' },
  { name: 'claim_amount', label: 'Claim amount (USD)', placeholder: '412.50' },
]

/** @param {HTMLFormElement} form */
const filledIn = (form) =>
  Object.fromEntries(
    [...new FormData(form)]
      .map(([name, value]) => /** @type {const} */ ([name, String(value).trim()]))
      .filter(([, value]) => value !== ''),
  )

/** Lands a claim by hand. It is raw data: nothing is corrected here, silver says what is wrong with it. @param {{ onLanded: (claimId: string) => void }} props */
export function LandClaim({ onLanded }) {
  const form = useRef(/** @type {HTMLFormElement | null} */ (null))
  const landing = useMutation({
    mutationFn: landClaim,
    onSuccess: ({ claim_id }) => {
      form.current?.reset()
      onLanded(claim_id)
    },
  })
  return (
    <Panel title="Land a claim" aside="Kept as typed; the silver rules judge it.">
      <form
        ref={form}
        className={classes.form}
        onSubmit={(event) => {
          event.preventDefault()
          landing.mutate(filledIn(event.currentTarget))
        }}
      >
        {FIELDS.map((field) => (
          <TextInput key={field.name} {...field} maxLength={200} autoComplete="off" />
        ))}
        <div className={classes.submit}>
          <Button type="submit" loading={landing.isPending}>
            Land the claim
          </Button>
          {landing.error && <span role="alert">{errorWords(landing.error)}</span>}
          {landing.data && <span role="status">{`Claim ${landing.data.claim_id} has landed.`}</span>}
        </div>
      </form>
    </Panel>
  )
}
