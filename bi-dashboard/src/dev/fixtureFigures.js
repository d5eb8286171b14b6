// @ts-check
/** @import { Figures, FigureRow } from '../api/types.js' */

/** @param {string} table */
const asOf = (table) => ({ run_id: 127, tables: [{ name: `petinsure360.gold.${table}`, version: 4 }] })

/** @param {number} claims @returns {FigureRow} */
const claimSums = (claims) => ({
  claims,
  claim_amount: claims * 415.3,
  paid_amount: claims * 211.6,
  approval_rate: 0.9,
  mean_decision_days: 4.1,
  straight_through_rate: 0.338,
})

/** @param {string} key @param {Record<string, number>} sizes @param {(size: number) => FigureRow} sums */
const by = (key, sizes, sums) =>
  Object.entries(sizes).map(([value, size]) => ({ [key]: value, ...sums(size) }))

const months = Array.from({ length: 25 }, (_, index) =>
  new Date(Date.UTC(2024, 10 + index, 1)).toISOString().slice(0, 7),
)

/** @type {Figures & Record<string, any>} */
export const claims = {
  as_of: asOf('claims_analytics'),
  currency: 'USD',
  totals: claimSums(14_760),
  before: null,
  by_month: months.map((month, index) => ({ service_month: month, ...claimSums(560 + ((index * 37) % 90)) })),
  by_status: by('status', { Paid: 8081, 'Partially Approved': 4507, Denied: 1400 }, claimSums),
  by_category: by('claim_category', { Dermatology: 4099, Gastrointestinal: 3137, Injury: 1831 }, claimSums),
  by_species: by('species', { Dog: 12_244, Cat: 2472, Other: 44 }, claimSums),
  by_denial_reason: by('denial_reason', { 'Pre-existing Condition': 621, 'Not Covered': 316 }, claimSums),
  by_diagnosis: by('diagnosis', { Enteropathy: 1180, Gastropathy: 890, Cystitis: 520 }, claimSums),
  options: {
    months,
    species: ['Cat', 'Dog', 'Other'],
    category: ['Dermatology', 'Gastrointestinal', 'Injury'],
    status: ['Denied', 'Paid', 'Partially Approved'],
    diagnosis: ['Cystitis', 'Enteropathy', 'Gastropathy'],
    reason: ['Not Covered', 'Pre-existing Condition'],
  },
  top: [
    {
      claim_id: 'CLM-1-0008680',
      service_date: '2026-01-23',
      status: 'Paid',
      species: 'Dog',
      diagnosis: 'Foreign body surgery',
      provider_name: 'Pinecrest Animal Hospital',
      claim_amount: 19_069.15,
      expected_paid: 15_255.32,
      paid_amount: 15_255.32,
      decision_days: 12,
      review_flags: ['post_waiting_spike'],
    },
    {
      claim_id: 'CLM-1-0000469',
      service_date: '2026-01-17',
      status: 'Under Review',
      species: 'Dog',
      diagnosis: 'Intervertebral disc disease',
      provider_name: null,
      claim_amount: 15_829,
      expected_paid: 10_000,
      paid_amount: 0,
      decision_days: null,
      review_flags: [],
    },
  ],
  matching: 2000,
  listed: 2000,
  next_page_token: '50.abc',
}

/** @param {number} customers @returns {FigureRow} */
const customerSums = (customers) => ({
  customers,
  active_policies: Math.round(customers * 0.86),
  annual_premium: customers * 560,
  loss_ratio: 0.702,
  average_lifetime_value: 206.4,
})

/** @type {Figures & Record<string, any>} */
export const customers = {
  as_of: asOf('customer_360'),
  currency: 'USD',
  totals: customerSums(5000),
  before: { as_of: { ...asOf('customer_360'), run_id: 126 }, totals: customerSums(4980) },
  by_value_tier: by('value_tier', { silver: 1872, lapsed: 1411, gold: 1165, platinum: 552 }, customerSums),
  by_churn_tier: by('churn_tier', { medium: 1764, low: 1433, lapsed: 1411, high: 392 }, customerSums),
  by_state: by('state', { TX: 783, CA: 673, NY: 420 }, customerSums),
  offers: [
    { offer: 'wellness', best_for: 2329, customers: 2620, may_contact: 1440, average_score: 0.44 },
    { offer: 'win_back', best_for: 1104, customers: 1411, may_contact: 770, average_score: 0.7 },
  ],
  options: {
    state: ['CA', 'NY', 'TX'],
    value_tier: ['gold', 'lapsed', 'platinum', 'silver'],
    churn_tier: ['high', 'lapsed', 'low', 'medium'],
    offer: ['multi_pet', 'none', 'wellness', 'win_back'],
  },
  top: [
    {
      customer_id: 'CUS-1-0000007',
      first_name: 'Julian',
      last_name: 'Perez',
      state: 'OR',
      active_policies: 2,
      annual_premium: 3880.32,
      claims: 15,
      loss_ratio: 1.86,
      lifetime_value: 1890.11,
      value_tier: 'platinum',
      churn_tier: 'low',
      next_best_offer: 'limit_upgrade',
      next_best_offer_reason: 'has used half of an annual limit or more',
    },
  ],
  matching: 1,
  listed: 1,
  next_page_token: null,
}

/** @type {Figures} */
export const noFigures = {
  as_of: null,
  currency: 'USD',
  totals: null,
  before: null,
  options: {},
  top: [],
  matching: 0,
  listed: 0,
  next_page_token: null,
}

/** What no row matches. @type {Figures} */
export const nothing = { ...noFigures, as_of: claims.as_of, options: claims.options, totals: { claims: 0 } }
