// @ts-check
/** @import { FigureRow } from '../../api/types.js' */
/** @import { FigurePage } from './figurePage.js' */
/** @import { Column } from './FigureTable.jsx' */
import { useState } from 'react'
import { Link } from 'react-router'
import { Button } from '@mantine/core'
import { download, toCsv } from '../../lib/csv.js'
import { count } from '../../lib/format.js'
import { errorWords } from '../../components/Feedback.jsx'
import { Panel } from '../../components/Page.jsx'
import { everyRow } from './api.js'
import { shown } from './FigureTable.jsx'
import classes from './ChartPanels.module.css'

const LIST_SIZE = 2000

/**
 * The list of a page, sorted by the server, with more rows on demand.
 * @param {{ page: FigurePage, rows: FigureRow[], matching: number, listed: number, asked: Record<string, string>,
 *   onSort: (sort: string) => void, onMore: (() => void) | null, loading: boolean }} props
 */
export function RowList({ page, rows, matching, listed, asked, onSort, onMore, loading }) {
  const { order, columns } = page.list
  const title = asked.sort ? page.list.title : `${page.list.title}, ${page.list.ordered}`
  const sort = asked.sort ?? order
  const texts = new Set(
    columns.filter(({ key }) => rows.some((row) => isText(row[key]))).map(({ key }) => key),
  )
  return (
    <Panel title={title} aside={<Take page={page} asked={asked} />}>
      {/* eslint-disable-next-line jsx-a11y/no-noninteractive-tabindex */}
      <div className={classes.wide} tabIndex={0} role="region" aria-label={`${title}, table`}>
        <table className={classes.table}>
          <thead>
            <tr>
              {columns.map((column) => (
                <Head
                  key={column.key}
                  column={column}
                  text={texts.has(column.key)}
                  sort={sort}
                  onSort={onSort}
                />
              ))}
            </tr>
          </thead>
          <tbody>
            {rows.map((row, index) => (
              <tr key={index}>
                {columns.map((column) => (
                  <td key={column.key} data-text={texts.has(column.key) || undefined}>
                    <Cell column={column} row={row} />
                  </td>
                ))}
              </tr>
            ))}
          </tbody>
        </table>
      </div>
      <p className={classes.note}>
        {count(rows.length)} of {count(matching)} shown
        {listed >= LIST_SIZE && `; of the table, the list holds the first ${count(listed)} rows`}
      </p>
      {onMore && (
        <Button variant="default" mt={10} loading={loading} onClick={onMore}>
          Show more
        </Button>
      )}
    </Panel>
  )
}

/** @param {unknown} value */
const isText = (value) => typeof value !== 'number' && value !== null && value !== undefined

/** @param {{ column: Column, row: FigureRow }} props */
function Cell({ column, row }) {
  const text = shown(column, row)
  if (column.key !== 'claim_id') return text
  return <Link to={`/claims?id=${encodeURIComponent(row.claim_id)}`}>{text}</Link>
}

/** A first click sorts with the largest at the top, a second one the other way round. @param {{ column: Column, text: boolean, sort: string, onSort: (sort: string) => void }} props */
function Head({ column, text, sort, onSort }) {
  const sorted = sort === column.key ? 'ascending' : sort === `-${column.key}` ? 'descending' : 'none'
  return (
    <th scope="col" aria-sort={sorted} data-text={text || undefined}>
      <button
        type="button"
        className={classes.sort}
        onClick={() => onSort(sorted === 'descending' ? column.key : `-${column.key}`)}
      >
        {column.name}
        <span aria-hidden="true">{sorted === 'none' ? '' : sorted === 'ascending' ? ' ▲' : ' ▼'}</span>
      </button>
    </th>
  )
}

/** Every row that matches, as a file. @param {{ page: FigurePage, asked: Record<string, string> }} props */
function Take({ page, asked }) {
  const [busy, setBusy] = useState(false)
  const [fault, setFault] = useState('')
  const save = async () => {
    setBusy(true)
    setFault('')
    try {
      const rows = await everyRow(page.name, asked)
      download(`${page.list.file}.csv`, toCsv(Object.keys(rows[0] ?? {}), rows))
    } catch (error) {
      setFault(errorWords(error))
    } finally {
      setBusy(false)
    }
  }
  return (
    <>
      {fault && <span role="alert">{fault}</span>}
      <span className={classes.source}>{page.source}</span>
      <Button variant="default" size="xs" loading={busy} onClick={() => void save()}>
        CSV<span className="hidden-text"> of {page.list.title}</span>
      </Button>
    </>
  )
}
