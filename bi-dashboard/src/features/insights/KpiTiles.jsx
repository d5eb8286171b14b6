// @ts-check
/** @import { Overview } from '../../api/types.js' */
/** @import { KpiDefinition } from './kpis.js' */
import { monthName } from '../../lib/format.js'
import { deltaOf, fullMonths, KPIS } from './kpis.js'
import { Sparkline } from './Sparkline.jsx'
import classes from './KpiTiles.module.css'

const ARROWS = { up: '▲', down: '▼', flat: '■' }

/** @param {{ overview: Overview }} props */
export function KpiTiles({ overview }) {
  return (
    <ul className={classes.tiles} aria-label="Key figures">
      {KPIS.map((kpi) => (
        <Tile key={kpi.key} kpi={kpi} overview={overview} />
      ))}
    </ul>
  )
}

/** @param {{ kpi: KpiDefinition, overview: Overview }} props */
function Tile({ kpi, overview }) {
  const { trailing_12m: year, currency } = overview
  const months = fullMonths(overview)
  const [latest, previous] = [months.at(-1) ?? null, months.at(-2) ?? null]
  const delta = deltaOf(kpi, latest, previous)
  return (
    <li className={classes.tile}>
      <p className={classes.name} title={kpi.meaning}>
        {kpi.name}
      </p>
      <p className={classes.value}>{kpi.show(/** @type {number | null} */ (year?.[kpi.key]), currency)}</p>
      <p className={classes.basis}>last 12 months</p>
      <Sparkline values={months.slice(-13).map((month) => /** @type {number | null} */ (month[kpi.key]))} />
      <p className={classes.month}>
        {monthName(latest?.year_month)}:{' '}
        <b className="tabular">{kpi.show(/** @type {number | null} */ (latest?.[kpi.key]), currency)}</b>
        {delta && (
          <span className={classes.delta} data-tone={delta.tone}>
            <span aria-hidden="true">{ARROWS[delta.direction]}</span>
            <span className="hidden-text">{delta.direction} </span> {delta.words}
          </span>
        )}
      </p>
    </li>
  )
}
