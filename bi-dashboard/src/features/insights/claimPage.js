// @ts-check
/** @import { FigurePage } from './figurePage.js' */
import { count, day, money, monthName, NONE, percent } from '../../lib/format.js'
import { column, dayCount, tile, usd, words } from './figurePage.js'

const CLAIM_SUMS = [
  column('claims', 'Claims', count),
  column('claim_amount', 'Billed', usd),
  column('paid_amount', 'Paid', usd),
  column('approval_rate', 'Approval rate', percent),
]

/** @type {FigurePage} */
export const CLAIMS = {
  name: 'claims',
  title: 'Claim figures',
  summary: 'Released claims by month of service, diagnosis and outcome',
  source: 'gold.claims_analytics',
  nothing: 'No claim matches',
  filters: [
    { name: 'from', label: 'From', every: 'The beginning', option: 'months', words: monthName },
    { name: 'to', label: 'To', every: 'Today', option: 'months', words: monthName },
    { name: 'species', label: 'Species', every: 'Every species' },
    { name: 'category', label: 'Category', every: 'Every category' },
    { name: 'status', label: 'Status', every: 'Every status' },
    { name: 'diagnosis', label: 'Diagnosis', every: 'Every diagnosis' },
  ],
  monthly: true,
  tiles: [
    tile('claims', 'Claims', 'Claims by month of service', count),
    tile('claim_amount', 'Billed', 'What the practices charged', money),
    tile('paid_amount', 'Paid', 'Paid for these claims so far', money),
    tile(
      'approval_rate',
      'Approval rate',
      'Paid in full or in part, over decided',
      (value) => percent(value),
      'points',
      'up',
    ),
    tile('mean_decision_days', 'Decided in, mean', 'Submission to decision', dayCount, 'days', 'down'),
    tile(
      'straight_through_rate',
      'Straight through',
      'Decided on the day of submission, over decided',
      (value) => percent(value),
      'points',
      'up',
    ),
  ],
  breakdowns: [
    {
      title: 'By diagnosis',
      part: 'by_diagnosis',
      key: 'diagnosis',
      name: 'Diagnosis',
      bar: 'paid_amount',
      filter: 'diagnosis',
      columns: CLAIM_SUMS,
    },
    {
      title: 'By category',
      part: 'by_category',
      key: 'claim_category',
      name: 'Category',
      bar: 'claims',
      filter: 'category',
      columns: CLAIM_SUMS,
    },
    {
      title: 'By status',
      part: 'by_status',
      key: 'status',
      name: 'Status',
      bar: 'claims',
      filter: 'status',
      columns: CLAIM_SUMS,
    },
    {
      title: 'Denied, by reason',
      part: 'by_denial_reason',
      key: 'denial_reason',
      name: 'Reason',
      bar: 'claims',
      columns: [column('claims', 'Claims', count), column('claim_amount', 'Billed', usd)],
    },
    {
      title: 'By species',
      part: 'by_species',
      key: 'species',
      name: 'Species',
      bar: 'claims',
      filter: 'species',
      columns: CLAIM_SUMS,
    },
  ],
  list: {
    title: 'Claims',
    ordered: 'the dearest first',
    order: '-claim_amount',
    file: 'claims',
    columns: [
      column('claim_id', 'Claim'),
      column('service_date', 'Service', day),
      column('status', 'Status'),
      column('species', 'Species'),
      column('diagnosis', 'Diagnosis'),
      column('provider_name', 'Practice'),
      column('claim_amount', 'Billed', usd),
      column('expected_paid', 'Owed by terms', usd),
      column('paid_amount', 'Paid', usd),
      column('decision_days', 'Decided in', dayCount),
      column('review_flags', 'Flags', (flags) => (flags?.length ? flags.map(words).join(', ') : NONE)),
    ],
  },
}
