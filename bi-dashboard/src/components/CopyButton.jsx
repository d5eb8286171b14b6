// @ts-check
import { useState } from 'react'
import { Button } from '@mantine/core'

/** @param {{ text: string, label?: string }} props */
export function CopyButton({ text, label = 'Copy' }) {
  const [outcome, setOutcome] = useState('')
  const copy = () => {
    const written = navigator.clipboard?.writeText(text) ?? Promise.reject(new Error('no clipboard'))
    written.then(
      () => setOutcome('Copied'),
      () => setOutcome('Could not copy'),
    )
  }
  return (
    <Button variant="default" onClick={copy} onBlur={() => setOutcome('')}>
      <span aria-live="polite">{outcome || label}</span>
    </Button>
  )
}
