// @ts-check
/** @import { Kpis, Overview } from '../../api/types.js' */
/** @import { Column } from './FigureTable.jsx' */
import { lazy, Suspense } from 'react'
import { count, days, money, monthName, percent } from '../../lib/format.js'
import { Placeholder } from '../../components/Feedback.jsx'
import { CHART_HEIGHT, ChartPanel } from './ChartPanel.jsx'
import { isPartial } from './kpis.js'
import { MonthTable } from './MonthTable.jsx'
import classes from './ChartPanels.module.css'

const charts = () => import('./MonthlyCharts.jsx')
const AmountChart = lazy(() => charts().then((module) => ({ default: module.AmountChart })))
const RatioChart = lazy(() => charts().then((module) => ({ default: module.RatioChart })))
const ClaimsChart = lazy(() => charts().then((module) => ({ default: module.ClaimsChart })))
const CycleChart = lazy(() => charts().then((module) => ({ default: module.CycleChart })))

/** @param {{ title: string, source: string, months: Kpis[], columns: Column[], children: import('react').ReactNode }} props */
const MonthPanel = ({ title, source, months, columns, children }) => (
  <ChartPanel
    title={title}
    source={source}
    rows={months}
    keys={['year_month', ...columns.map((column) => column.key)]}
    table={<MonthTable months={months} columns={columns} caption={title} />}
  >
    <Suspense fallback={<Placeholder height={CHART_HEIGHT} label="Loading the chart" />}>{children}</Suspense>
  </ChartPanel>
)

const SOURCE = 'gold.monthly_kpis'

/** @param {{ overview: Overview }} props */
export function ChartPanels({ overview }) {
  const { currency } = overview
  const partial = isPartial(overview) ? (overview.latest?.year_month ?? null) : null
  const { months } = overview
  /** @param {number | null} value */
  const usd = (value) => money(value, currency)
  const shared = { months, source: SOURCE }
  return (
    <div className={classes.grid}>
      <MonthPanel
        {...shared}
        title="Loss ratio by month"
        columns={[
          { key: 'loss_ratio', name: 'Loss ratio', show: percent },
          { key: 'paid_loss_ratio', name: 'Paid loss ratio', show: percent },
        ]}
      >
        <RatioChart months={months} partial={partial} />
      </MonthPanel>
      <MonthPanel
        {...shared}
        title="Premium and incurred"
        columns={[
          { key: 'earned_premium', name: 'Earned premium', show: usd },
          { key: 'incurred_amount', name: 'Incurred', show: usd },
          { key: 'paid_amount', name: 'Paid', show: usd },
        ]}
      >
        <AmountChart months={months} partial={partial} currency={currency} />
      </MonthPanel>
      <MonthPanel
        {...shared}
        title="Claims by month"
        columns={[
          { key: 'claims', name: 'Claims', show: count },
          { key: 'approval_rate', name: 'Approval rate', show: percent },
        ]}
      >
        <ClaimsChart months={months} partial={partial} />
      </MonthPanel>
      <MonthPanel
        {...shared}
        title="Cycle time"
        columns={[
          { key: 'cycle_time_p50_days', name: 'Median', show: days },
          { key: 'cycle_time_p90_days', name: 'Nine in ten within', show: days },
        ]}
      >
        <CycleChart months={months} partial={partial} />
      </MonthPanel>
      {partial && (
        <p className={classes.note}>* {monthName(partial)} is not over: its sums will still grow.</p>
      )}
    </div>
  )
}
