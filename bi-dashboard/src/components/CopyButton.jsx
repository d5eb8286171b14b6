// @ts-check
import { useState } from 'react'
import { Button } from '@mantine/core'

/** @param {{ text: string, label?: string, compact?: boolean }} props */
export function CopyButton({ text, label = 'Copy', compact = false }) {
  const [outcome, setOutcome] = useState('')
  const copy = () => {
    const written = navigator.clipboard?.writeText(text) ?? Promise.reject(new Error('no clipboard'))
    written.then(
      () => setOutcome('Copied'),
      () => setOutcome('Could not copy'),
    )
  }
  return (
    <Button
      variant="default"
      size={compact ? 'compact-sm' : undefined}
      onClick={copy}
      onBlur={() => setOutcome('')}
    >
      <span aria-live="polite">{outcome || label}</span>
    </Button>
  )
}
