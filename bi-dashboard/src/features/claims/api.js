// @ts-check
/** @import { ClaimPosition } from '../../api/types.js' */
import { queryOptions } from '@tanstack/react-query'
import { request } from '../../api/client.js'

/** @param {string} claimId */
export const claimQuery = (claimId) =>
  queryOptions({
    queryKey: ['claims', claimId],
    /** @returns {Promise<ClaimPosition>} */
    queryFn: ({ signal }) => request(`/api/claims/${encodeURIComponent(claimId)}`, { signal }),
    staleTime: 5_000,
  })

/** Lands a claim in the raw zone as it is. @param {Record<string, string>} claim @returns {Promise<{ claim_id: string }>} */
export const landClaim = (claim) => request('/api/claims', { method: 'POST', body: claim })
