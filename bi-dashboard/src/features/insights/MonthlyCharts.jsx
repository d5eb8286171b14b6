// @ts-check
/** @import { Kpis } from '../../api/types.js' */
import { BarChart, LineChart } from '@mantine/charts'
import '@mantine/charts/styles.css'
import { count, percent, shortMoney, shortMonth } from '../../lib/format.js'

const CHART = /** @type {const} */ ({
  h: 260,
  dataKey: 'month',
  withLegend: true,
  gridAxis: 'x',
  tickLine: 'none',
  legendProps: { verticalAlign: 'top', height: 34 },
})

/** @param {Kpis[]} months @param {string | null} partial  the month that is not over */
const named = (months, partial) =>
  months.map((month) => ({
    ...month,
    month: `${shortMonth(month.year_month)}${month.year_month === partial ? '*' : ''}`,
  }))

/** @param {{ months: Kpis[], partial: string | null, currency: string }} props */
export function AmountChart({ months, partial, currency }) {
  return (
    <BarChart
      {...CHART}
      data={named(months, partial)}
      series={[
        { name: 'earned_premium', label: 'Earned premium', color: 'var(--chart-base)' },
        { name: 'incurred_amount', label: 'Incurred', color: 'var(--chart-main)' },
      ]}
      valueFormatter={(value) => shortMoney(value, currency)}
      yAxisProps={{ width: 62 }}
      barChartProps={{ barGap: 1 }}
    />
  )
}

/** @param {{ months: Kpis[], partial: string | null }} props */
export function RatioChart({ months, partial }) {
  return (
    <LineChart
      {...CHART}
      data={named(months, partial)}
      series={[
        { name: 'loss_ratio', label: 'Loss ratio', color: 'var(--chart-main)' },
        {
          name: 'paid_loss_ratio',
          label: 'Paid loss ratio',
          color: 'var(--chart-second)',
          strokeDasharray: '5 4',
        },
      ]}
      valueFormatter={(value) => percent(value, Number.isInteger(value * 100) ? 0 : 1)}
      withDots={false}
      strokeWidth={2.25}
      curveType="linear"
      yAxisProps={{ width: 52, domain: [0, 'auto'] }}
    />
  )
}

/** @param {{ months: Kpis[], partial: string | null }} props */
export function ClaimsChart({ months, partial }) {
  return (
    <BarChart
      {...CHART}
      data={named(months, partial)}
      series={[{ name: 'claims', label: 'Claims', color: 'var(--chart-main)' }]}
      valueFormatter={(value) => count(value)}
      yAxisProps={{ width: 52 }}
    />
  )
}

/** @param {{ months: Kpis[], partial: string | null }} props */
export function CycleChart({ months, partial }) {
  return (
    <LineChart
      {...CHART}
      data={named(months, partial)}
      series={[
        { name: 'cycle_time_p50_days', label: 'Median', color: 'var(--chart-main)' },
        {
          name: 'cycle_time_p90_days',
          label: 'Nine in ten within',
          color: 'var(--chart-second)',
          strokeDasharray: '5 4',
        },
      ]}
      valueFormatter={(value) => `${Number(value.toFixed(1))} d`}
      withDots={false}
      strokeWidth={2.25}
      curveType="linear"
      yAxisProps={{ width: 52, domain: [0, 'auto'] }}
    />
  )
}

/** Amounts of claims by month of service. @param {{ rows: Record<string, any>[], partial: string | null, currency: string }} props */
export function ClaimAmountChart({ rows, partial, currency }) {
  const data = rows.map((row) => ({
    ...row,
    month: `${shortMonth(row.service_month)}${row.service_month === partial ? '*' : ''}`,
  }))
  return (
    <BarChart
      {...CHART}
      data={data}
      series={[
        { name: 'claim_amount', label: 'Billed', color: 'var(--chart-base)' },
        { name: 'paid_amount', label: 'Paid', color: 'var(--chart-main)' },
      ]}
      valueFormatter={(value) => shortMoney(value, currency)}
      yAxisProps={{ width: 62 }}
      barChartProps={{ barGap: 1 }}
    />
  )
}
