// @ts-check
const LOCALE = 'en-US'
export const NONE = '–'

const whole = new Intl.NumberFormat(LOCALE, { maximumFractionDigits: 0 })
const compact = new Intl.NumberFormat(LOCALE, { notation: 'compact', maximumFractionDigits: 2 })

/** @param {unknown} value @returns {value is number} */
const isNumber = (value) => typeof value === 'number' && Number.isFinite(value)

/** @param {number | null | undefined} value */
export const count = (value) => (isNumber(value) ? whole.format(value) : NONE)

/** @param {number | null | undefined} value */
export const shortCount = (value) => {
  if (!isNumber(value)) return NONE
  return Math.abs(value) < 100_000 ? whole.format(value) : compact.format(value)
}

/** @param {number} value @param {string} one @param {string} [many] */
export const plural = (value, one, many = `${one}s`) => `${count(value)} ${value === 1 ? one : many}`

/** @param {number | null | undefined} value @param {string} currency */
export function money(value, currency = 'USD') {
  if (!isNumber(value)) return NONE
  const style = /** @type {const} */ ({ style: 'currency', currency })
  const large = Math.abs(value) >= 100_000
  return new Intl.NumberFormat(
    LOCALE,
    large
      ? { ...style, notation: 'compact', maximumFractionDigits: Math.abs(value) < 1_000_000 ? 0 : 2 }
      : { ...style, maximumFractionDigits: 0 },
  ).format(value)
}

/** $95K, for an axis. @param {number} value @param {string} currency */
export const shortMoney = (value, currency) =>
  new Intl.NumberFormat(LOCALE, {
    style: 'currency',
    currency,
    notation: 'compact',
    maximumFractionDigits: 1,
  }).format(value)

/** @param {number | null | undefined} fraction  0.71, not 71 */
export const percent = (fraction, digits = 1) =>
  isNumber(fraction) ? `${(fraction * 100).toFixed(digits)}%` : NONE

/** @param {number | null | undefined} value */
export const days = (value) => (isNumber(value) ? `${value.toFixed(1)} d` : NONE)

/** @param {number} value */
const two = (value) => String(value).padStart(2, '0')

/**
 * A duration that may still be ticking: whole seconds, no milliseconds, so that it does not jitter.
 * @param {number | null | undefined} seconds
 */
export function elapsed(seconds) {
  if (!isNumber(seconds)) return NONE
  const total = Math.max(0, Math.floor(seconds))
  if (total < 60) return `${total}s`
  if (total < 3600) return `${Math.floor(total / 60)}m ${two(total % 60)}s`
  return `${Math.floor(total / 3600)}h ${two(Math.floor((total % 3600) / 60))}m`
}

/** A duration that is over; below ten seconds with a tenth. @param {number | null | undefined} seconds */
export function duration(seconds) {
  if (!isNumber(seconds)) return NONE
  return seconds < 10 ? `${Math.max(0, seconds).toFixed(1)}s` : elapsed(Math.round(seconds))
}

/** @param {number} seconds */
function roundedForEstimate(seconds) {
  if (seconds < 5) return Math.max(1, Math.round(seconds))
  if (seconds < 60) return Math.round(seconds / 5) * 5
  if (seconds < 600) return Math.round(seconds / 15) * 15
  return Math.round(seconds / 60) * 60
}

/** A range without false precision: "10–25s", "1m 15s–2m 30s". @param {number} low @param {number} high */
export function estimateRange(low, high) {
  const from = roundedForEstimate(Math.max(0, low))
  const to = roundedForEstimate(Math.max(low, high, 0))
  if (from === to) return elapsed(to)
  return to < 60 ? `${from}–${to}s` : `${elapsed(from)}–${elapsed(to)}`
}

/** @param {string | null | undefined} instant */
export const parseInstant = (instant) => {
  const ms = instant ? Date.parse(instant) : NaN
  return Number.isNaN(ms) ? null : ms
}

/** @param {string | null | undefined} from @param {string | null | undefined} to */
export function secondsBetween(from, to) {
  const [start, end] = [parseInstant(from), parseInstant(to)]
  return start === null || end === null ? null : Math.max(0, (end - start) / 1000)
}

/** @param {number} ms @param {Intl.DateTimeFormatOptions} options */
const local = (ms, options) => new Intl.DateTimeFormat('en-GB', options).format(ms)

/** 22 Nov 2026, 06:02 in the reader's own zone. @param {string | number | null | undefined} instant */
export function dateTime(instant) {
  const ms = typeof instant === 'number' ? instant : parseInstant(instant)
  return ms === null
    ? NONE
    : local(ms, { day: 'numeric', month: 'short', year: 'numeric', hour: '2-digit', minute: '2-digit' })
}

/** 06:02:11 @param {string | number | null | undefined} instant */
export function clockTime(instant) {
  const ms = typeof instant === 'number' ? instant : parseInstant(instant)
  return ms === null ? NONE : local(ms, { hour: '2-digit', minute: '2-digit', second: '2-digit' })
}

/** 06:02 @param {number} ms */
export const hourMinute = (ms) => local(ms, { hour: '2-digit', minute: '2-digit' })

/** "just now", "3 min ago", "yesterday". @param {string | null | undefined} instant @param {number} now */
export function ago(instant, now) {
  const then = parseInstant(instant)
  if (then === null) return NONE
  const seconds = Math.max(0, (now - then) / 1000)
  if (seconds < 45) return 'just now'
  if (seconds < 3600) return `${Math.max(1, Math.round(seconds / 60))} min ago`
  if (seconds < 86_400) return `${Math.round(seconds / 3600)} h ago`
  const passed = Math.round(seconds / 86_400)
  return passed === 1 ? 'yesterday' : `${passed} days ago`
}

/** 'Nov 2026' from '2026-11'. @param {string | undefined} yearMonth */
export function monthName(yearMonth) {
  const ms = parseInstant(yearMonth ? `${yearMonth}-01T12:00:00Z` : null)
  return ms === null ? (yearMonth ?? NONE) : local(ms, { month: 'short', year: 'numeric', timeZone: 'UTC' })
}

/** 'Nov 26' for an axis. @param {string | undefined} yearMonth */
export function shortMonth(yearMonth) {
  const ms = parseInstant(yearMonth ? `${yearMonth}-01T12:00:00Z` : null)
  return ms === null ? (yearMonth ?? NONE) : local(ms, { month: 'short', year: '2-digit', timeZone: 'UTC' })
}

/** 22 Nov 2026 from a date, which belongs to no time zone. @param {string} date */
export function day(date) {
  const ms = parseInstant(date)
  return ms === null ? date : local(ms, { day: 'numeric', month: 'short', year: 'numeric', timeZone: 'UTC' })
}
