// @ts-check
/** @import { Figures, Monthly, Overview } from '../../api/types.js' */
import { infiniteQueryOptions, keepPreviousData, queryOptions } from '@tanstack/react-query'
import { queryString, request } from '../../api/client.js'

const ROWS = 50
const MOST_ROWS = 1000

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

/**
 * A page of figures with the first rows of its list; further pages bring further rows.
 * @param {string} page @param {Record<string, string>} asked
 */
export const figuresQuery = (page, asked) =>
  infiniteQueryOptions({
    queryKey: ['insights', page, asked],
    /** @returns {Promise<Figures & Record<string, any>>} */
    queryFn: ({ signal, pageParam }) =>
      request(figuresPath(page, { ...asked, limit: ROWS, page_token: pageParam }), { signal }),
    initialPageParam: /** @type {string | null} */ (null),
    getNextPageParam: (last) => last.next_page_token,
    placeholderData: keepPreviousData,
  })

/** Every row of the list that matches, for a file. @param {string} page @param {Record<string, string>} asked */
export async function everyRow(page, asked) {
  const rows = []
  let token = null
  do {
    /** @type {Figures} */
    const part = await request(figuresPath(page, { ...asked, limit: MOST_ROWS, page_token: token }))
    rows.push(...part.top)
    token = part.next_page_token
  } while (token)
  return rows
}

/** @param {string} page @param {Record<string, string | number | null>} parameters */
const figuresPath = (page, parameters) => `/api/insights/${page}${queryString(parameters)}`
