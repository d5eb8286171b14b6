// @ts-check
/** @import { Breakdown, FigurePage } from './figurePage.js' */
/** @import { FigureRow } from '../../api/types.js' */
import { BarList } from './BarList.jsx'
import { ChartPanel } from './ChartPanel.jsx'
import { FigureTable, shown as shownIn } from './FigureTable.jsx'
import { NONE } from '../../lib/format.js'

/** A value as the API takes it back. @param {unknown} value */
const asText = (value) => (value === null || value === undefined ? 'none' : String(value))

/**
 * Sums by one column: bars, and the same as a table.
 * @param {{ page: FigurePage, breakdown: Breakdown, rows: FigureRow[], asked: Record<string, string>,
 *   onChoose: (name: string, value: string) => void }} props
 */
export function BreakdownPanel({ page, breakdown, rows, asked, onChoose }) {
  const { title, key, name, bar, filter, columns, natural = false, words = (value) => value } = breakdown
  const label = (/** @type {unknown} */ value) => (value === null ? 'Not known' : words(asText(value)))
  const measure = columns.find((column) => column.key === bar)
  const unordered = rows.map((row) => ({
    value: asText(row[key]),
    label: label(row[key]),
    size: Number(row[bar] ?? 0),
    shown: measure ? shownIn(measure, row) : NONE,
  }))
  const bars = natural
    ? [...unordered].sort((one, other) => parseInt(one.value) - parseInt(other.value))
    : [...unordered].sort((one, other) => other.size - one.size)
  const all = [{ key, name, show: label }, ...columns]
  return (
    <ChartPanel
      light
      title={title}
      source={breakdown.source ?? page.source}
      rows={rows}
      keys={[...new Set([key, ...Object.keys(rows[0] ?? {})])]}
      table={<FigureTable rows={rows} columns={all} caption={title} />}
    >
      <BarList
        rows={bars}
        label={`${title}, ${measure?.name.toLowerCase() ?? bar}`}
        chosen={filter ? (asked[filter] ?? '') : ''}
        onChoose={filter ? (value) => onChoose(filter, value) : undefined}
      />
    </ChartPanel>
  )
}
