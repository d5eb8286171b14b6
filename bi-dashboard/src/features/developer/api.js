// @ts-check
/** @import { FaultReport, FaultRule } from '../../api/types.js' */
import { queryOptions } from '@tanstack/react-query'
import { queryString, request } from '../../api/client.js'

const PATH = '/api/local/faults'
/** The counters move by themselves while somebody looks. */
const REFRESH_MS = 2_000

export const faultsQuery = queryOptions({
  queryKey: ['faults'],
  /** @returns {Promise<FaultReport>} */
  queryFn: ({ signal }) => request(PATH, { signal }),
  refetchInterval: (query) => (query.state.status === 'error' ? false : REFRESH_MS),
  staleTime: 0,
  gcTime: 0,
})

/** @param {FaultRule} rule @returns {Promise<FaultReport>} */
export const switchOn = (rule) => request(PATH, { method: 'POST', body: { rules: [rule] } })

/** One fault, or all without an id. @param {string} [id] @returns {Promise<FaultReport>} */
export const switchOff = (id) => request(PATH + queryString({ id }), { method: 'DELETE' })
