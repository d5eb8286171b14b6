// @ts-check
/** @import { Kpis, Monthly, Overview } from '../api/types.js' */

const AS_OF = {
  run_id: 127,
  tables: [
    { name: 'petinsure360.gold.monthly_kpis', version: 4 },
    { name: 'petinsure360.gold.claims_analytics', version: 4 },
  ],
}

/** @param {number} index @returns {Kpis & Record<string, any>} */
function month(index) {
  const earned = 268_000 + index * 4_100
  const ratio = 0.712 + 0.035 * Math.sin(index * 1.3)
  const date = new Date(Date.UTC(2024, 10 + index, 1))
  return {
    year_month: date.toISOString().slice(0, 7),
    earned_premium: earned,
    claims: Math.round(590 + 40 * Math.sin(index) + index * 4),
    paid_amount: earned * ratio * (index > 22 ? 0.82 : 0.97),
    incurred_amount: earned * ratio,
    loss_ratio: ratio,
    paid_loss_ratio: ratio * (index > 22 ? 0.82 : 0.97),
    approval_rate: 0.885 + 0.02 * Math.cos(index),
    cycle_time_p50_days: 2.9 + 0.5 * Math.sin(index / 2),
    cycle_time_p90_days: 12.4 + 1.5 * Math.sin(index / 3),
    frequency: 1.51 + 0.05 * Math.sin(index),
    severity: 412 + 3 * index,
  }
}

const months = Array.from({ length: 25 }, (_, index) => month(index))
const { year_month: _year, ...trailing } = month(20)

/** @type {Overview} */
export const overview = {
  as_of: AS_OF,
  currency: 'USD',
  valued_on: '2026-11-22',
  latest: months.at(-1) ?? null,
  previous: months.at(-2) ?? null,
  trailing_12m: {
    ...trailing,
    claims: 7_812,
    earned_premium: 3_980_000,
    paid_amount: 2_730_000,
    incurred_amount: 2_840_000,
  },
  months,
}
/** @type {Monthly} */
export const monthly = { as_of: AS_OF, months }
/** @type {Overview} */
export const noOverview = {
  as_of: null,
  currency: 'USD',
  latest: null,
  previous: null,
  trailing_12m: null,
  months: [],
}
/** @type {Monthly} */
export const noMonthly = { as_of: null, months: [] }
