// @ts-check
/** @import { Monthly } from '../../api/types.js' */
/** @import { Column } from './FigureTable.jsx' */
import { useMemo } from 'react'
import { Button } from '@mantine/core'
import { download, toCsv } from '../../lib/csv.js'
import { NONE } from '../../lib/format.js'
import { Panel } from '../../components/Page.jsx'
import { MonthTable } from './MonthTable.jsx'
import classes from './ChartPanels.module.css'

const number = new Intl.NumberFormat('en-US', { maximumFractionDigits: 3 })

/** @param {unknown} value */
function plain(value) {
  if (value === null || value === undefined) return NONE
  return typeof value === 'number' ? number.format(value) : String(value)
}

/** @param {Monthly['months']} months @returns {Column[]} */
function columnsOf(months) {
  const keys = Object.keys(months[0] ?? {}).filter((key) => key !== 'year_month')
  return keys.map((key) => ({
    key,
    name: key.replaceAll('_', ' '),
    show: plain,
  }))
}

/** Every column of the monthly table, as it is. @param {{ months: Monthly['months'] }} props */
export function AllMonths({ months }) {
  const columns = useMemo(() => columnsOf(months), [months])
  const save = () =>
    download('monthly-kpis.csv', toCsv(['year_month', ...columns.map((column) => column.key)], months))
  return (
    <Panel
      title="Every figure by month"
      aside={
        <>
          <span className={classes.source}>gold.monthly_kpis</span>
          <Button variant="default" size="xs" onClick={save}>
            CSV<span className="hidden-text"> of every figure</span>
          </Button>
        </>
      }
    >
      <MonthTable months={months} columns={columns} caption="Every figure by month" />
    </Panel>
  )
}
