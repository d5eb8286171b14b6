// @ts-check
/** @import { Overview } from '../../api/types.js' */
/** @import { KpiDefinition } from './kpis.js' */
import { monthName } from '../../lib/format.js'
import { deltaOf, fullMonths, KPIS } from './kpis.js'
import { Tile, Tiles } from './Tile.jsx'

/** @param {{ overview: Overview }} props */
export function KpiTiles({ overview }) {
  return (
    <Tiles>
      {KPIS.map((kpi) => (
        <KpiTile key={kpi.key} kpi={kpi} overview={overview} />
      ))}
    </Tiles>
  )
}

/** @param {{ kpi: KpiDefinition, overview: Overview }} props */
function KpiTile({ kpi, overview }) {
  const { trailing_12m: year, currency } = overview
  const months = fullMonths(overview)
  const [latest, previous] = [months.at(-1) ?? null, months.at(-2) ?? null]
  const told = (/** @type {Record<string, any> | null | undefined} */ figures) =>
    kpi.show(figures?.[kpi.key], currency)
  return (
    <Tile
      name={kpi.name}
      meaning={kpi.meaning}
      value={told(year)}
      basis="last 12 months"
      values={months.slice(-13).map((month) => /** @type {Record<string, any>} */ (month)[kpi.key])}
      delta={deltaOf(kpi, latest, previous)}
    >
      {monthName(latest?.year_month)}: <b className="tabular">{told(latest)}</b>
    </Tile>
  )
}
