// @ts-check
/** @import { Kpis } from '../../api/types.js' */
/** @import { Column } from './FigureTable.jsx' */
import { useMemo } from 'react'
import { monthName } from '../../lib/format.js'
import { FigureTable } from './FigureTable.jsx'

/** @type {Column} */
const MONTH = { key: 'year_month', name: 'Month', show: monthName }

/** Months as rows, newest first, sortable. @param {{ months: Kpis[], columns: Column[], caption: string }} props */
export function MonthTable({ months, columns, caption }) {
  const all = useMemo(() => [MONTH, ...columns], [columns])
  return <FigureTable rows={months} columns={all} caption={caption} newestFirst />
}
