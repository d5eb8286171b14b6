// @ts-check
/** @import { Monthly, Overview } from '../../api/types.js' */
import { queryOptions } from '@tanstack/react-query'
import { request } from '../../api/client.js'

export const overviewQuery = queryOptions({
  queryKey: ['insights', 'overview'],
  /** @returns {Promise<Overview>} */
  queryFn: ({ signal }) => request('/api/insights/overview', { signal }),
})

export const monthlyQuery = queryOptions({
  queryKey: ['insights', 'monthly'],
  /** @returns {Promise<Monthly>} */
  queryFn: ({ signal }) => request('/api/insights/monthly', { signal }),
})
