// @ts-check
/** @import { Kpis, Overview } from '../../api/types.js' */
/** @import { Column } from './MonthTable.jsx' */
import { lazy, Suspense, useState } from 'react'
import { Button, SegmentedControl } from '@mantine/core'
import { count, days, money, monthName, percent } from '../../lib/format.js'
import { download, toCsv } from '../../lib/csv.js'
import { Placeholder } from '../../components/Feedback.jsx'
import { Panel } from '../../components/Page.jsx'
import { useNear } from '../../components/useNear.js'
import { isPartial } from './kpis.js'
import { MonthTable } from './MonthTable.jsx'
import classes from './ChartPanels.module.css'

const charts = () => import('./MonthlyCharts.jsx')
const AmountChart = lazy(() => charts().then((module) => ({ default: module.AmountChart })))
const RatioChart = lazy(() => charts().then((module) => ({ default: module.RatioChart })))
const ClaimsChart = lazy(() => charts().then((module) => ({ default: module.ClaimsChart })))
const CycleChart = lazy(() => charts().then((module) => ({ default: module.CycleChart })))

const CHART_HEIGHT = 260

/**
 * A chart that can also be read as a table and taken along as CSV.
 * @param {{ title: string, source: string, months: Kpis[], columns: Column[], children: import('react').ReactNode }} props
 */
function ChartPanel({ title, source, months, columns, children }) {
  const [view, setView] = useState('Chart')
  const [ref, near] = useNear()
  const save = () =>
    download(
      `${title.toLowerCase().replaceAll(' ', '-')}.csv`,
      toCsv(['year_month', ...columns.map((column) => column.key)], months),
    )
  const chart = near ? (
    <Suspense fallback={<Placeholder height={CHART_HEIGHT} label="Loading the chart" />}>{children}</Suspense>
  ) : (
    <Placeholder height={CHART_HEIGHT} label="Loading the chart" />
  )
  return (
    <Panel
      title={title}
      aside={
        <>
          <span className={classes.source}>{source}</span>
          <SegmentedControl
            size="xs"
            data={['Chart', 'Table']}
            value={view}
            onChange={setView}
            aria-label={`${title}: chart or table`}
          />
          <Button variant="default" size="xs" onClick={save}>
            CSV
          </Button>
        </>
      }
    >
      <div ref={ref} className={classes.body} style={{ minHeight: CHART_HEIGHT }}>
        {view === 'Chart' ? chart : <MonthTable months={months} columns={columns} caption={title} />}
      </div>
    </Panel>
  )
}

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
      <ChartPanel
        {...shared}
        title="Loss ratio by month"
        columns={[
          { key: 'loss_ratio', name: 'Loss ratio', show: percent },
          { key: 'paid_loss_ratio', name: 'Paid loss ratio', show: percent },
        ]}
      >
        <RatioChart months={months} partial={partial} />
      </ChartPanel>
      <ChartPanel
        {...shared}
        title="Premium and incurred"
        columns={[
          { key: 'earned_premium', name: 'Earned premium', show: usd },
          { key: 'incurred_amount', name: 'Incurred', show: usd },
          { key: 'paid_amount', name: 'Paid', show: usd },
        ]}
      >
        <AmountChart months={months} partial={partial} currency={currency} />
      </ChartPanel>
      <ChartPanel
        {...shared}
        title="Claims by month"
        columns={[
          { key: 'claims', name: 'Claims', show: count },
          { key: 'approval_rate', name: 'Approval rate', show: percent },
        ]}
      >
        <ClaimsChart months={months} partial={partial} />
      </ChartPanel>
      <ChartPanel
        {...shared}
        title="Cycle time"
        columns={[
          { key: 'cycle_time_p50_days', name: 'Median', show: days },
          { key: 'cycle_time_p90_days', name: 'Nine in ten within', show: days },
        ]}
      >
        <CycleChart months={months} partial={partial} />
      </ChartPanel>
      {partial && (
        <p className={classes.note}>* {monthName(partial)} is not over: its sums will still grow.</p>
      )}
    </div>
  )
}
