// @ts-check
/** @import { FigurePage } from './figurePage.js' */
import { count, money, percent } from '../../lib/format.js'
import { column, ratio, spoken, tile, usd, words } from './figurePage.js'

const CUSTOMER_SUMS = [
  column('customers', 'Customers', count),
  column('annual_premium', 'Annual premium', usd),
  column('loss_ratio', 'Loss ratio', percent),
  column('average_lifetime_value', 'Lifetime value, mean', usd),
]

/** @type {FigurePage} */
export const CUSTOMERS = {
  name: 'customers',
  title: 'Customers',
  summary: 'Who the customers are, what they are worth and what suits them',
  source: 'gold.customer_360',
  nothing: 'No customer matches',
  filters: [
    {
      name: 'state',
      label: 'State',
      every: 'Every state',
      words: (value) => (value === 'none' ? 'Not known' : value),
    },
    { name: 'value_tier', label: 'Value', every: 'Every value tier', words },
    { name: 'churn_tier', label: 'Churn risk', every: 'Every churn tier', words },
    {
      name: 'offer',
      label: 'Next best offer',
      every: 'Every offer',
      words: (v) => (v === 'none' ? 'No offer' : words(v)),
    },
  ],
  tiles: [
    tile('customers', 'Customers', 'Customers of the book, with claims or without', count),
    tile('active_policies', 'Active policies', 'In force on the day of the figures', count, 'share', 'up'),
    tile('annual_premium', 'Annual premium', '12 × monthly premium of active policies', money, 'share', 'up'),
    tile(
      'loss_ratio',
      'Loss ratio',
      'Incurred over earned premium, without IBNR',
      (v) => percent(v),
      'points',
      'down',
    ),
    tile(
      'average_lifetime_value',
      'Lifetime value, mean',
      'Earned premium × 28 % − 60 USD',
      money,
      'share',
      'up',
    ),
  ],
  breakdowns: [
    {
      title: 'By value',
      part: 'by_value_tier',
      key: 'value_tier',
      name: 'Value tier',
      bar: 'customers',
      filter: 'value_tier',
      words,
      columns: CUSTOMER_SUMS,
    },
    {
      title: 'By churn risk',
      part: 'by_churn_tier',
      key: 'churn_tier',
      name: 'Churn tier',
      bar: 'customers',
      filter: 'churn_tier',
      words,
      columns: CUSTOMER_SUMS,
    },
    {
      title: 'Offers that suit',
      part: 'offers',
      source: 'gold.cross_sell',
      key: 'offer',
      name: 'Offer',
      bar: 'best_for',
      filter: 'offer',
      words,
      columns: [
        column('best_for', 'Best for', count),
        column('customers', 'Suits', count),
        column('may_contact', 'May be written to', count),
        column('average_score', 'Score, mean', ratio),
      ],
    },
    {
      title: 'By state',
      part: 'by_state',
      key: 'state',
      name: 'State',
      bar: 'customers',
      filter: 'state',
      columns: CUSTOMER_SUMS,
    },
  ],
  list: {
    title: 'Customers',
    ordered: 'the most valuable first',
    order: '-lifetime_value',
    file: 'customers',
    columns: [
      column(
        'last_name',
        'Customer',
        undefined,
        (row) => [row.first_name, row.last_name].filter(Boolean).join(' ') || row.customer_id,
      ),
      column('state', 'State'),
      column('active_policies', 'Policies', count),
      column('annual_premium', 'Annual premium', usd),
      column('claims', 'Claims', count),
      column('loss_ratio', 'Loss ratio', percent),
      column('lifetime_value', 'Lifetime value', usd),
      column('value_tier', 'Value', spoken),
      column('churn_tier', 'Churn risk', spoken),
      column('next_best_offer', 'Next best offer', spoken),
      column('next_best_offer_reason', 'Because the customer'),
    ],
  },
}
