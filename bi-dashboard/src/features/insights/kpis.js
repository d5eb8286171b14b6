// @ts-check
/** @import { Overview } from '../../api/types.js' */
import { count, days, money, percent } from '../../lib/format.js'

/**
 * A figure of the overview; its meaning is the formula of docs/kpis.md, word for word. `better` says which direction is good news; `delta` is how a change reads.
 * @typedef {{ key: string, name: string, meaning: string, better: 'up' | 'down' | null,
 *   show: (value: number | null | undefined, currency: string) => string, delta: 'points' | 'share' | 'days' | 'number' }} KpiDefinition
 */

/** @type {KpiDefinition[]} */
export const KPIS = [
  {
    key: 'loss_ratio',
    name: 'Loss ratio',
    meaning: 'incurred (paid + case reserve + IBNR) ÷ earned premium',
    better: 'down',
    show: (value) => percent(value),
    delta: 'points',
  },
  {
    key: 'claims',
    name: 'Claims',
    meaning: 'all claims of the month',
    better: null,
    show: (value) => count(value),
    delta: 'share',
  },
  {
    key: 'paid_amount',
    name: 'Paid',
    meaning: "paid for the month's claims",
    better: null,
    show: (value, currency) => money(value, currency),
    delta: 'share',
  },
  {
    key: 'approval_rate',
    name: 'Approval rate',
    meaning: 'approved in full or in part ÷ decided',
    better: 'up',
    show: (value) => percent(value),
    delta: 'points',
  },
  {
    key: 'cycle_time_p50_days',
    name: 'Cycle time, median',
    meaning: 'median days from submission to decision',
    better: 'down',
    show: (value) => days(value),
    delta: 'days',
  },
]

/** The size of a change as it is shown. @param {KpiDefinition} kpi @param {number} change @param {number} before */
function sizeShown(kpi, change, before) {
  const size = Math.abs(change)
  if (kpi.delta === 'points') return { figure: (size * 100).toFixed(1), unit: ' pts' }
  if (kpi.delta === 'number') return { figure: size.toFixed(2), unit: '' }
  if (kpi.delta === 'days') return { figure: size.toFixed(1), unit: ' d' }
  return before === 0 ? null : { figure: ((size / Math.abs(before)) * 100).toFixed(1), unit: '%' }
}

/**
 * The change from the month before, in words with a direction; null when one of the two is not known.
 *
 * @param {KpiDefinition} kpi @param {Record<string, any> | null | undefined} latest
 * @param {Record<string, any> | null | undefined} previous
 */
export function deltaOf(kpi, latest, previous) {
  const [now, before] = [latest?.[kpi.key], previous?.[kpi.key]]
  if (typeof now !== 'number' || typeof before !== 'number') return null
  const change = now - before
  const shown = change === 0 ? { figure: '0', unit: '' } : sizeShown(kpi, change, before)
  const flat = shown !== null && Number(shown.figure) === 0 // what rounds to nothing is no change
  /** @type {'up' | 'down' | 'flat'} */
  const direction = flat ? 'flat' : change > 0 ? 'up' : 'down'
  /** @type {'good' | 'bad' | 'neutral'} */
  const tone =
    direction === 'flat' || kpi.better === null ? 'neutral' : direction === kpi.better ? 'good' : 'bad'
  const words = flat ? 'unchanged' : shown ? `${shown.figure}${shown.unit}` : 'new'
  return { direction, tone, words }
}

/** Whether the newest month is still going on, so that its sums are not comparable yet. @param {Overview} overview */
export const isPartial = ({ latest, valued_on: valuedOn }) => isGoingOn(latest?.year_month, valuedOn)

/** @param {string | undefined} month @param {string | null | undefined} valuedOn  the day up to which figures are known */
export function isGoingOn(month, valuedOn) {
  if (!month || !valuedOn?.startsWith(month)) return false
  return new Date(Date.parse(`${valuedOn}T00:00:00Z`) + 86_400_000).toISOString().startsWith(month)
}

/** The months that are over, oldest first. @param {Overview} overview */
export const fullMonths = (overview) => (isPartial(overview) ? overview.months.slice(0, -1) : overview.months)
