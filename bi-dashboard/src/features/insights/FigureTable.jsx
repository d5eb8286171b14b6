// @ts-check
import { useMemo } from 'react'
import { createSortedRowModel, rowSortingFeature, tableFeatures, useTable } from '@tanstack/react-table'
import classes from './ChartPanels.module.css'

/** A column of a table of figures; `of` makes its text of the whole row. @typedef {{ key: string, name: string, show: (value: any) => string, of?: (row: any) => string }} Column */

/** @param {Column} column @param {Record<string, any>} row */
export const shown = ({ key, show, of }, row) => (of ? of(row) : show(row[key]))

const features = tableFeatures({ rowSortingFeature, sortedRowModel: createSortedRowModel() })
const SORT_WORDS = /** @type {const} */ ({ asc: 'ascending', desc: 'descending' })
const SORT_ARROWS = { asc: ' ▲', desc: ' ▼' }

/** @param {Column} column */
const definition = (column) => ({
  id: column.key,
  header: column.name,
  accessorFn: (/** @type {any} */ row) => row[column.key],
  cell: (/** @type {{ row: { original: any } }} */ cell) => shown(column, cell.row.original),
})

/** Rows that are all there, sortable. @param {{ rows: any[], columns: Column[], caption: string, newestFirst?: boolean }} props */
export function FigureTable({ rows, columns, caption, newestFirst = false }) {
  const definitions = useMemo(() => columns.map(definition), [columns])
  const first = columns[0]?.key ?? ''
  const table = useTable({
    features,
    data: rows,
    columns: definitions,
    initialState: newestFirst ? { sorting: [{ id: first, desc: true }] } : {},
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
