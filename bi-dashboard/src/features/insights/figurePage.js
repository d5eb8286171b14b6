// @ts-check
/** @import { Column } from './FigureTable.jsx' */
/** @import { KpiDefinition } from './kpis.js' */
import { money, NONE } from '../../lib/format.js'

/**
 * A filter of a page: the parameter of the API, and of the address. `option` is the list of its values.
 * @typedef {{ name: string, label: string, every: string, option?: string, words?: (value: string) => string }} Filter
 *
 * Sums by one column. A bar is as long as `bar`; a click on it sets `filter` to its value. The longest bar comes first, but
 * for columns with a `natural` order.
 * @typedef {{ title: string, part: string, source?: string, key: string, name: string, bar: string, filter?: string,
 *   natural?: boolean, words?: (value: string) => string, columns: Column[] }} Breakdown
 *
 * @typedef {{ name: string, title: string, summary: string, source: string, nothing: string, filters: Filter[],
 *   tiles: KpiDefinition[], monthly?: boolean, breakdowns: Breakdown[],
 *   list: { title: string, ordered: string, order: string, file: string, columns: Column[] } }} FigurePage
 */

/** @param {any} value */
const plain = (value) => (value === null || value === undefined || value === '' ? NONE : String(value))
export const usd = (/** @type {number | null} */ value) => money(value)
/** @param {number | null | undefined} value */
export const ratio = (value) => (typeof value === 'number' ? value.toFixed(2) : NONE)
/** @param {number | null | undefined} value */
export const dayCount = (value) => (typeof value === 'number' ? `${Number(value.toFixed(1))} d` : NONE)
/** multi_pet -> Multi pet; none stands for what is not known. @param {string} value */
export const words = (value) => {
  if (value === 'none' || value === 'null') return 'Not known'
  const text = value.replaceAll('_', ' ')
  return text.charAt(0).toUpperCase() + text.slice(1)
}
/** @param {string} value */
export const network = (value) => (value === 'true' ? 'In the network' : 'Out of the network')
/** @param {any} value */
export const spoken = (value) => (value === null || value === undefined ? NONE : words(String(value)))

/** @param {string} key @param {string} name @param {(value: any) => string} [show] @param {(row: any) => string} [of] @returns {Column} */
export const column = (key, name, show = plain, of = undefined) => ({ key, name, show, of })

/** @param {string} key @param {string} name @param {string} meaning @param {KpiDefinition['show']} show @param {KpiDefinition['delta']} [delta] @param {KpiDefinition['better']} [better] @returns {KpiDefinition} */
export const tile = (key, name, meaning, show, delta = 'share', better = null) => ({
  key,
  name,
  meaning,
  show,
  delta,
  better,
})
