// @ts-check
/** @import { Face } from '../../lib/runStates.js' */
import { runFace } from '../../lib/runStates.js'
import { When } from '../../components/Times.jsx'
import { useKnown, useLive, useRuns } from './useRunStream.jsx'

/** @type {Face} */
const IDLE = { kind: 'waiting', word: 'Idle' }

/** The state of the pipeline as a whole, and one line about it. @returns {{ face: Face, summary: import('react').ReactNode }} */
export function usePipelineHeading() {
  const known = useKnown()
  const gold = useLive((state) => state.layers?.gold)
  const { active, latest } = useRuns()
  const first = active[0]
  if (!known)
    return { face: { kind: 'waiting', word: 'Connecting' }, summary: 'Asking the server what it knows' }
  const settled = latest && runFace(latest).kind === 'failed' ? runFace(latest) : IDLE
  const face = first ? runFace(first) : settled
  const summary = gold?.updated_at ? (
    <>
      Gold updated <When at={gold.updated_at} absolute />
    </>
  ) : (
    'Gold has no tables yet'
  )
  return { face, summary }
}
