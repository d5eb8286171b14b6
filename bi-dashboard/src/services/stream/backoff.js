// @ts-check
export const FIRST_RETRY_MS = 500
export const LONGEST_RETRY_MS = 15_000

/**
 * How long to wait before reconnecting: the first try within a second, then doubling up to 15 s,
 * each shortened by up to half, so that a thousand pages do not come back in the same moment.
 *
 * @param {number} failures  how many tries failed already
 * @param {() => number} random  in [0, 1)
 */
export function retryDelay(failures, random) {
  const longest = Math.min(LONGEST_RETRY_MS, FIRST_RETRY_MS * 2 ** failures)
  return longest * (1 - random() / 2)
}
