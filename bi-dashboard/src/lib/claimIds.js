// @ts-check
export const CLAIM_ID = /^[A-Za-z0-9][A-Za-z0-9_.:-]{0,63}$/
export const MAX_CLAIM_IDS = 10_000

/** @param {string} text */
export const isClaimId = (text) => CLAIM_ID.test(text)

/**
 * Reads what a person pasted: ids apart by white space, commas or semicolons, quotes around them allowed.
 * Each id comes out once, in the order of its first appearance.
 *
 * @param {string} text
 * @returns {{ valid: string[], invalid: string[] }}
 */
export function parseClaimIds(text) {
  const words = text
    .split(/[\s,;]+/)
    .map((word) => word.replace(/^["'[]+|["'\]]+$/g, ''))
    .filter((word) => word !== '')
  const unique = [...new Set(words)]
  return { valid: unique.filter(isClaimId), invalid: unique.filter((word) => !isClaimId(word)) }
}

/**
 * Adds ids to those that are chosen already.
 * `left_out` counts the ids that did not fit into the limit of one run.
 *
 * @param {string[]} chosen @param {string[]} added
 */
export function addClaimIds(chosen, added) {
  const all = [...new Set([...chosen, ...added])]
  return { chosen: all.slice(0, MAX_CLAIM_IDS), left_out: Math.max(0, all.length - MAX_CLAIM_IDS) }
}
