// @ts-check
import { useState } from 'react'
import { Button, TextInput } from '@mantine/core'
import { IconSearch } from '@tabler/icons-react'
import { isClaimId } from '../../lib/claimIds.js'
import { Panel } from '../../components/Page.jsx'
import classes from './Claims.module.css'

/** @param {{ claimId: string, onSearch: (claimId: string) => void }} props */
export function ClaimSearch({ claimId, onSearch }) {
  const [text, setText] = useState(claimId)
  const [fault, setFault] = useState('')
  const search = (/** @type {import('react').FormEvent} */ event) => {
    event.preventDefault()
    const wanted = text.trim()
    if (!isClaimId(wanted))
      return setFault(
        'A claim id has letters, digits and _ . : - only, begins with a letter or digit, and has at most 64 characters.',
      )
    setFault('')
    onSearch(wanted)
  }
  return (
    <Panel title="Where is a claim">
      <form className={classes.search} onSubmit={search}>
        <TextInput
          className={classes.grow}
          label="Claim id"
          placeholder="CLM-000123"
          data-filter
          value={text}
          error={fault}
          onChange={(event) => setText(event.currentTarget.value)}
          leftSection={<IconSearch aria-hidden="true" size={16} />}
        />
        <Button type="submit" mt={24}>
          Find
        </Button>
      </form>
    </Panel>
  )
}
