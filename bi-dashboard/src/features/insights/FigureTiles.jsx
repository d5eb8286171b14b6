// @ts-check
/** @import { Figures, FigureRow } from '../../api/types.js' */
/** @import { FigurePage } from './figurePage.js' */
import { Link } from 'react-router'
import { monthName } from '../../lib/format.js'
import { deltaOf, isGoingOn } from './kpis.js'
import { Tile, Tiles } from './Tile.jsx'

/**
 * The page's figures. Where there are months, the change is that of the last one that is over; else the change since the
 * run before the newest.
 * @param {{ page: FigurePage, figures: Figures & Record<string, any>, filtered: boolean, valuedOn?: string | null }} props
 */
export function FigureTiles({ page, figures, filtered, valuedOn }) {
  const every = /** @type {FigureRow[]} */ (page.monthly ? figures.by_month : [])
  const months = isGoingOn(every.at(-1)?.service_month, valuedOn) ? every.slice(0, -1) : every
  const { totals, before, currency } = figures
  return (
    <Tiles>
      {page.tiles.map((kpi) => (
        <Tile
          key={kpi.key}
          name={kpi.name}
          meaning={kpi.meaning}
          value={kpi.show(totals?.[kpi.key], currency)}
          basis={filtered ? 'of what the filters leave' : page.monthly ? 'all months' : 'the whole book'}
          values={page.monthly ? months.slice(-13).map((month) => month[kpi.key]) : undefined}
          delta={
            page.monthly ? deltaOf(kpi, months.at(-1), months.at(-2)) : deltaOf(kpi, totals, before?.totals)
          }
        >
          {page.monthly ? (
            <>
              {monthName(months.at(-1)?.service_month)}:{' '}
              <b className="tabular">{kpi.show(months.at(-1)?.[kpi.key], currency)}</b>
            </>
          ) : (
            before && (
              <>
                since{' '}
                {before.as_of.run_id === null ? (
                  'the run before'
                ) : (
                  <Link to={`/runs/${before.as_of.run_id}`}>the run before</Link>
                )}
              </>
            )
          )}
        </Tile>
      ))}
    </Tiles>
  )
}
