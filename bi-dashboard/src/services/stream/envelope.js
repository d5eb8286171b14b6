// @ts-check
/** @import { Envelope } from '../../api/types.js' */

/** The one guard between the wire and the page. @param {any} value @returns {value is Envelope} */
export function isEnvelope(value) {
  return (
    value !== null &&
    typeof value === 'object' &&
    Number.isSafeInteger(value.seq) &&
    typeof value.epoch === 'string' &&
    typeof value.type === 'string' &&
    value.data !== null &&
    typeof value.data === 'object'
  )
}

/** @param {string} line */
function parseLine(line) {
  try {
    return JSON.parse(line)
  } catch {
    return null
  }
}

/**
 * A text frame holds one envelope, or several separated by newlines.
 * Returns null when any of them cannot be read: what is torn must be asked for again, never skipped.
 *
 * @param {string} text
 * @returns {Envelope[] | null}
 */
export function parseFrame(text) {
  const values = text
    .split('\n')
    .filter((line) => line.trim() !== '')
    .map(parseLine)
  return values.every(isEnvelope) ? values : null
}
