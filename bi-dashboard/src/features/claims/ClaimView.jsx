// @ts-check
/** @import { ClaimLayer, ClaimPosition } from '../../api/types.js' */
import { Link } from 'react-router'
import { useQuery } from '@tanstack/react-query'
import { Button } from '@mantine/core'
import { ApiError } from '../../api/client.js'
import { LAYER_NAMES, LAYERS } from '../../lib/runStates.js'
import { EmptyState, ErrorState, Placeholder } from '../../components/Feedback.jsx'
import { Panel } from '../../components/Page.jsx'
import { StateMark } from '../../components/StateMark.jsx'
import { When } from '../../components/Times.jsx'
import { claimQuery } from './api.js'
import classes from './Claims.module.css'

/** Layer by layer, where a claim is. @param {{ claimId: string, actions: import('react').ReactNode }} props */
export function ClaimView({ claimId, actions }) {
  const { data, error, isPending, isFetching, refetch } = useQuery(claimQuery(claimId))
  if (isPending) return <Placeholder height={240} label="Looking for the claim" />
  if (error instanceof ApiError && error.status === 404) {
    return <EmptyState title={`No claim ${claimId}`}>Neither the raw zone nor any layer has it.</EmptyState>
  }
  if (error)
    return (
      <ErrorState title="The claim could not be looked up" error={error} onRetry={() => void refetch()} />
    )
  return (
    <Panel
      title={`Claim ${data.claim_id}`}
      aside={
        <>
          <Button variant="default" loading={isFetching} onClick={() => void refetch()}>
            Look again
          </Button>
          {actions}
        </>
      }
    >
      <ol className={classes.layers}>
        {LAYERS.map((layer) => (
          <li key={layer} className={classes.layer} data-layer={layer}>
            <b>{LAYER_NAMES[layer]}</b>
            <LayerPosition position={data.layers[layer]} />
          </li>
        ))}
      </ol>
      <Quarantine claim={data} />
    </Panel>
  )
}

/** @param {{ position: ClaimLayer | undefined }} props */
function LayerPosition({ position }) {
  if (!position?.present)
    return (
      <StateMark face={{ kind: 'waiting', word: position?.waiting ? 'Landed, waiting' : 'Not here' }} small />
    )
  return (
    <>
      <StateMark face={{ kind: 'success', word: 'Here' }} small />
      <span className="small dimmed">
        {position.run_id ? <Link to={`/runs/${position.run_id}`}>Run {position.run_id}</Link> : 'Run unknown'}{' '}
        · <When at={position.at} absolute />
      </span>
    </>
  )
}

/** @param {{ claim: ClaimPosition }} props */
function Quarantine({ claim }) {
  if (!claim.quarantine?.length) return null
  return (
    <div className={classes.quarantine}>
      <h3>
        <StateMark face={{ kind: 'attention', word: 'Quarantined' }} small />
      </h3>
      <ul>
        {claim.quarantine.map((reason) => (
          <li key={`${reason.rule}-${reason.run_id}`}>
            <code>{reason.rule}</code> {reason.message}{' '}
            {reason.run_id && (
              <span className="dimmed">
                in <Link to={`/runs/${reason.run_id}`}>run {reason.run_id}</Link>
              </span>
            )}
          </li>
        ))}
      </ul>
    </div>
  )
}
