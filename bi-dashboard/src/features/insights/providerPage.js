// @ts-check
/** @import { FigurePage } from './figurePage.js' */
import { count, money, percent } from '../../lib/format.js'
import { column, network, ratio, tile, usd } from './figurePage.js'

const PROVIDER_SUMS = [
  column('providers', 'Practices', count),
  column('claims', 'Claims', count),
  column('billed_amount', 'Billed', usd),
  column('severity_index', 'Severity index', ratio),
  column('denial_rate', 'Denial rate', percent),
]

/** @type {FigurePage} */
export const PROVIDERS = {
  name: 'providers',
  title: 'Providers',
  summary: 'Practices against peers that treated the same conditions',
  source: 'gold.provider_performance',
  nothing: 'No provider matches',
  filters: [
    { name: 'type', label: 'Type', every: 'Every type' },
    { name: 'state', label: 'State', every: 'Every state' },
    { name: 'in_network', label: 'Network', every: 'In and out', words: network },
  ],
  tiles: [
    tile('providers_with_claims', 'With claims', 'Practices of the directory that have claims', count),
    tile('billed_amount', 'Billed', 'What the practices charged', money),
    tile(
      'severity_index',
      'Severity index',
      'Billed over what peers bill for the same conditions',
      ratio,
      'number',
      'down',
    ),
    tile('denial_rate', 'Denial rate', 'Denied over decided', (value) => percent(value), 'points', 'down'),
    tile(
      'network_share',
      'Network share',
      'Claims at practices in the network',
      (value) => percent(value),
      'points',
      'up',
    ),
    tile(
      'flagged_claims',
      'Flagged claims',
      'Claims that an investigator should look at',
      count,
      'share',
      'down',
    ),
  ],
  breakdowns: [
    {
      title: 'By type',
      part: 'by_type',
      key: 'provider_type',
      name: 'Type',
      bar: 'claims',
      filter: 'type',
      columns: PROVIDER_SUMS,
    },
    {
      title: 'By network',
      part: 'by_network',
      key: 'is_in_network',
      name: 'Network',
      bar: 'claims',
      filter: 'in_network',
      words: network,
      columns: PROVIDER_SUMS,
    },
    {
      title: 'By state',
      part: 'by_state',
      key: 'state',
      name: 'State',
      bar: 'claims',
      filter: 'state',
      columns: PROVIDER_SUMS,
    },
  ],
  list: {
    title: 'Providers',
    ordered: 'the most billed first',
    order: '-billed_amount',
    file: 'providers',
    columns: [
      column('provider_name', 'Practice'),
      column('provider_type', 'Type'),
      column('city', 'City'),
      column('state', 'State'),
      column('is_in_network', 'Network', (value) => (value ? 'In' : 'Out')),
      column('claims', 'Claims', count),
      column('billed_amount', 'Billed', usd),
      column('severity_index', 'Severity index', ratio),
      column('credibility', 'Credibility', percent),
      column('denial_rate', 'Denial rate', percent),
      column('duplicate_invoices', 'Double invoices', count),
      column('flagged_claims', 'Flagged', count),
    ],
  },
}
