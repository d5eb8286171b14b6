// @ts-check
/** @import { FigureRow } from '../../api/types.js' */
/** @import { Column } from './FigureTable.jsx' */
import { lazy, Suspense } from 'react'
import { count, money, monthName, percent } from '../../lib/format.js'
import { Placeholder } from '../../components/Feedback.jsx'
import { CHART_HEIGHT, ChartPanel } from './ChartPanel.jsx'
import { FigureTable } from './FigureTable.jsx'
import { isGoingOn } from './kpis.js'

const Chart = lazy(() =>
  import('./MonthlyCharts.jsx').then((module) => ({ default: module.ClaimAmountChart })),
)

/** @type {Column[]} */
const COLUMNS = [
  { key: 'service_month', name: 'Month', show: monthName },
  { key: 'claims', name: 'Claims', show: count },
  { key: 'claim_amount', name: 'Billed', show: (value) => money(value) },
  { key: 'paid_amount', name: 'Paid', show: (value) => money(value) },
  { key: 'approval_rate', name: 'Approval rate', show: (value) => percent(value) },
]

/** What was billed and paid, by month of service. @param {{ rows: FigureRow[], source: string, currency: string, valuedOn?: string | null }} props */
export function ClaimMonths({ rows, source, currency, valuedOn }) {
  const last = rows.at(-1)?.service_month
  return (
    <ChartPanel
      title="Billed and paid by month of service"
      source={source}
      rows={rows}
      keys={Object.keys(rows[0] ?? {})}
      table={<FigureTable rows={rows} columns={COLUMNS} caption="Billed and paid" newestFirst />}
    >
      <Suspense fallback={<Placeholder height={CHART_HEIGHT} label="Loading the chart" />}>
        <Chart rows={rows} partial={isGoingOn(last, valuedOn) ? last : null} currency={currency} />
      </Suspense>
    </ChartPanel>
  )
}
