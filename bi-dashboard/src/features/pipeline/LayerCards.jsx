// @ts-check
/** @import { ClaimChoice } from './useClaimChoice.js' */
import { LAYERS } from '../../lib/runStates.js'
import { Placeholder } from '../../components/Feedback.jsx'
import { LayerCard } from './LayerCard.jsx'
import { useKnown, useLive } from './useRunStream.jsx'
import classes from './LayerCards.module.css'

/** @param {{ choice: ClaimChoice }} props */
export function LayerCards({ choice }) {
  const known = useKnown()
  const layers = useLive((state) => state.layers)
  return (
    <div className={classes.cards}>
      {LAYERS.map((layer) =>
        known ? (
          <LayerCard
            key={layer}
            layer={layer}
            status={layers?.[layer]}
            claimIds={choice.claimIds}
            reason={choice.reason}
          />
        ) : (
          <Placeholder key={layer} height={204} label="Loading a layer" />
        ),
      )}
    </div>
  )
}
