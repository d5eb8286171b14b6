// @ts-check
import { useNavigate, useSearchParams } from 'react-router'
import { useQuery } from '@tanstack/react-query'
import { Button } from '@mantine/core'
import { PageHeader } from '../components/Page.jsx'
import { ClaimSearch } from '../features/claims/ClaimSearch.jsx'
import { ClaimView } from '../features/claims/ClaimView.jsx'
import { WaitingClaims } from '../features/claims/WaitingClaims.jsx'
import { LandClaim } from '../features/claims/LandClaim.jsx'
import { pendingQuery } from '../features/pipeline/api.js'
import { LakeNotice } from '../features/pipeline/LakeNotice.jsx'
import { RefusedClick } from '../features/pipeline/RefusedClick.jsx'
import { useRefresh } from '../features/pipeline/useRefresh.js'
import { useTrigger } from '../features/pipeline/useRunActions.jsx'

/** One claim: where it is, and the click that takes it on. */
export default function ClaimsPage() {
  const [search, setSearch] = useSearchParams()
  const claimId = search.get('id') ?? ''
  const show = (/** @type {string} */ wanted) => setSearch({ id: wanted })
  const refresh = useRefresh()
  const pending = useQuery(pendingQuery)
  const landed = (/** @type {string} */ landedId) => {
    refresh()
    show(landedId)
  }
  return (
    <>
      <PageHeader title="Claims" summary="Where a claim is, layer by layer" />
      <ClaimSearch key={claimId} claimId={claimId} onSearch={show} />
      <LakeNotice />
      <RefusedClick />
      {claimId && <ClaimView claimId={claimId} actions={<ProcessClaim claimId={claimId} />} />}
      {pending.data && <WaitingClaims pending={pending.data} />}
      <LandClaim onLanded={landed} />
    </>
  )
}

/** @param {{ claimId: string }} props */
function ProcessClaim({ claimId }) {
  const { trigger, sending } = useTrigger()
  const navigate = useNavigate()
  const process = () => {
    trigger({ layer: 'all' }, { claim_ids: [claimId], reason: `Claim ${claimId}` })
    navigate('/pipeline')
  }
  return (
    <Button loading={sending !== null} onClick={process}>
      Process this claim
    </Button>
  )
}
