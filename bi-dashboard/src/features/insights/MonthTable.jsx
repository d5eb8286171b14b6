// @ts-check
/** @import { Kpis } from '../../api/types.js' */
import { useMemo } from 'react'
import { createSortedRowModel, rowSortingFeature, tableFeatures, useTable } from '@tanstack/react-table'
import { monthName } from '../../lib/format.js'
import classes from './ChartPanels.module.css'

/** @typedef {{ key: keyof Kpis & string, name: string, show: (value: any) => string }} Column */

const features = tableFeatures({ rowSortingFeature, sortedRowModel: createSortedRowModel() })
const SORT_WORDS = /** @type {const} */ ({ asc: 'ascending', desc: 'descending' })
const SORT_ARROWS = { asc: ' ▲', desc: ' ▼' }

/** @type {Column} */
const MONTH = { key: 'year_month', name: 'Month', show: monthName }

/** @param {Column} column */
const definition = ({ key, name, show }) => ({
  id: key,
  header: name,
  accessorFn: (/** @type {Kpis} */ month) => month[key],
  cell: (/** @type {{ getValue: () => any }} */ cell) => show(cell.getValue()),
})

/** Months as rows, newest first, sortable. @param {{ months: Kpis[], columns: Column[], caption: string }} props */
export function MonthTable({ months, columns, caption }) {
  const definitions = useMemo(() => [definition(MONTH), ...columns.map(definition)], [columns])
  const table = useTable({
    features,
    data: months,
    columns: definitions,
    initialState: { sorting: [{ id: 'year_month', desc: true }] },
  })
  return (
    // eslint-disable-next-line jsx-a11y/no-noninteractive-tabindex
    <div className={classes.scroll} tabIndex={0} role="region" aria-label={`${caption}, table`}>
      <table className={classes.table}>
        <thead>
          {table.getHeaderGroups().map((group) => (
            <tr key={group.id}>
              {group.headers.map((header) => {
                const sorted = header.column.getIsSorted()
                return (
                  <th key={header.id} scope="col" aria-sort={sorted ? SORT_WORDS[sorted] : 'none'}>
                    <button
                      type="button"
                      className={classes.sort}
                      onClick={header.column.getToggleSortingHandler()}
                    >
                      <table.FlexRender header={header} />
                      <span aria-hidden="true">{sorted ? SORT_ARROWS[sorted] : ''}</span>
                    </button>
                  </th>
                )
              })}
            </tr>
          ))}
        </thead>
        <tbody>
          {table.getRowModel().rows.map((row) => (
            <tr key={row.id}>
              {row.getAllCells().map((cell) => (
                <td key={cell.id}>
                  <table.FlexRender cell={cell} />
                </td>
              ))}
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  )
}
