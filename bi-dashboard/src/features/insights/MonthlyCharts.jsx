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

/** @param {Kpis} month */
const named = (month) => ({ ...month, month: shortMonth(month.year_month) })

/** @param {{ months: Kpis[], currency: string }} props */
export function AmountChart({ months, currency }) {
  return (
    <BarChart
      {...CHART}
      data={months.map(named)}
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

/** @param {{ months: Kpis[] }} props */
export function RatioChart({ months }) {
  return (
    <LineChart
      {...CHART}
      data={months.map(named)}
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

/** @param {{ months: Kpis[] }} props */
export function ClaimsChart({ months }) {
  return (
    <BarChart
      {...CHART}
      data={months.map(named)}
      series={[{ name: 'claims', label: 'Claims', color: 'var(--chart-main)' }]}
      valueFormatter={(value) => count(value)}
      yAxisProps={{ width: 52 }}
    />
  )
}

/** @param {{ months: Kpis[] }} props */
export function CycleChart({ months }) {
  return (
    <LineChart
      {...CHART}
      data={months.map(named)}
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
