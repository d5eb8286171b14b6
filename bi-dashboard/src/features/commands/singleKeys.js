// @ts-check
import { useState } from 'react'

const KEY = 'petinsure360-single-keys'

function stored() {
  try {
    return localStorage.getItem(KEY) !== 'off'
  } catch {
    return true
  }
}

/** Whether single keys are shortcuts. Who dictates or types by accident turns them off, for this browser. */
export function useSingleKeys() {
  const [on, setOn] = useState(stored)
  const choose = (/** @type {boolean} */ wanted) => {
    setOn(wanted)
    try {
      localStorage.setItem(KEY, wanted ? 'on' : 'off')
    } catch {
      /* storage may be forbidden: then it holds until the page is left */
    }
  }
  return /** @type {const} */ ([on, choose])
}
