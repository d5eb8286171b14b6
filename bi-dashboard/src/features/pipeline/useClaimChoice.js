// @ts-check
import { useMemo, useState } from 'react'
import { addClaimIds, parseClaimIds } from '../../lib/claimIds.js'

/** The claims the next click is for (none means everything pending), and why. */
export function useClaimChoice() {
  const [chosen, setChosen] = useState(/** @type {string[]} */ ([]))
  const [invalid, setInvalid] = useState(/** @type {string[]} */ ([]))
  const [leftOut, setLeftOut] = useState(0)
  const [reason, setReason] = useState('')
  return useMemo(
    () => ({
      claimIds: chosen,
      invalid,
      leftOut,
      reason,
      setReason,
      /** @param {string} text */
      add(text) {
        const { valid, invalid: bad } = parseClaimIds(text)
        const next = addClaimIds(chosen, valid)
        setChosen(next.chosen)
        setInvalid(bad)
        setLeftOut(next.left_out)
      },
      /** @param {string} claimId */
      remove(claimId) {
        setChosen(chosen.filter((other) => other !== claimId))
        setLeftOut(0)
      },
      clear() {
        setChosen([])
        setInvalid([])
        setLeftOut(0)
      },
    }),
    [chosen, invalid, leftOut, reason],
  )
}

/** @typedef {ReturnType<typeof useClaimChoice>} ClaimChoice */
