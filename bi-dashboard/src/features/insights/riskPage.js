// @ts-check
/** @import { FigurePage } from './figurePage.js' */
import { count, money, NONE, percent } from '../../lib/format.js'
import { column, ratio, spoken, tile, usd, words } from './figurePage.js'

const RISK_SUMS = [
  column('cells', 'Cells', count),
  column('claims', 'Claims', count),
  column('incurred_amount', 'Incurred', usd),
  column('severity', 'Severity', usd),
]

/** @type {FigurePage} */
export const RISK = {
  name: 'risk',
  title: 'Risk',
  summary: 'What pets of a species, breed and age cost, relative to their species',
  source: 'gold.risk_scoring',
  nothing: 'No cell matches',
  filters: [
    { name: 'species', label: 'Species', every: 'Every species' },
    { name: 'breed', label: 'Breed', every: 'Every breed' },
    { name: 'age_band', label: 'Age', every: 'Every age' },
    { name: 'category', label: 'Category', every: 'Every category' },
    { name: 'band', label: 'Risk', every: 'Every risk band', words },
  ],
  tiles: [
    tile('cells', 'Cells with claims', 'Species × breed × age × category', count),
    tile('claims', 'Claims', 'Claims of these pets', count),
    tile('incurred_amount', 'Incurred', 'Paid and case reserve, without IBNR', money),
    tile('severity', 'Severity', 'Incurred over claims', money, 'share', 'down'),
    tile(
      'emergency_rate',
      'Emergencies',
      'Emergency claims over claims',
      (value) => percent(value),
      'points',
      'down',
    ),
  ],
  breakdowns: [
    {
      title: 'By risk',
      part: 'by_band',
      key: 'risk_band',
      name: 'Risk band',
      bar: 'claims',
      filter: 'band',
      words,
      columns: RISK_SUMS,
    },
    {
      title: 'By species',
      part: 'by_species',
      key: 'species',
      name: 'Species',
      bar: 'claims',
      filter: 'species',
      columns: RISK_SUMS,
    },
    {
      title: 'By age',
      natural: true,
      part: 'by_age_band',
      key: 'age_band',
      name: 'Age in years',
      bar: 'claims',
      filter: 'age_band',
      columns: RISK_SUMS,
    },
    {
      title: 'By category',
      part: 'by_category',
      key: 'claim_category',
      name: 'Category',
      bar: 'incurred_amount',
      filter: 'category',
      columns: RISK_SUMS,
    },
  ],
  list: {
    title: 'Cells',
    ordered: 'the riskiest first',
    order: '',
    file: 'risk',
    columns: [
      column('breed', 'Breed'),
      column('species', 'Species'),
      column('age_band', 'Age'),
      column('claim_category', 'Category'),
      column('claims', 'Claims', count),
      column('exposure_years', 'Exposure, years', (value) =>
        typeof value === 'number' ? value.toFixed(1) : NONE,
      ),
      column('frequency', 'Frequency', ratio),
      column('severity', 'Severity', usd),
      column('pure_premium', 'Pure premium', usd),
      column('credibility', 'Credibility', percent),
      column('relativity', 'Relativity', ratio),
      column('risk_band', 'Risk', spoken),
    ],
  },
}
