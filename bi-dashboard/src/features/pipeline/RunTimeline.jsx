// @ts-check
/** @import { Run } from '../../api/types.js' */
/** @import { Bar, Pause, Row } from './timeline.js' */
import { duration, elapsed } from '../../lib/format.js'
import { isActive } from '../../lib/runStates.js'
import { SHAPES } from '../../components/StateMark.jsx'
import { useNow } from '../../services/ticker.js'
import { placed, ticks, timelineOf } from './timeline.js'
import classes from './RunTimeline.module.css'

const ROOM_AHEAD = 1.22
/** Per cent of the track behind which a short bar has its label on the left. */
const LATE = 76

/** @param {number} seconds */
const tickLabel = (seconds) => (Number.isInteger(seconds) ? elapsed(seconds) : `${seconds}s`)

/** When everything in a run happened, earlier attempts included. @param {{ run: Run }} props */
export function RunTimeline({ run }) {
  const timeline = timelineOf(run)
  if (!timeline) return null
  return isActive(run) ? (
    <LiveChart {...timeline} />
  ) : (
    <Chart rows={timeline.rows} pauses={timeline.pauses} now={null} end={timeline.end ?? 1} />
  )
}

/** @param {{ rows: Row[], pauses: Pause[], start: number }} props */
function LiveChart({ rows, pauses, start }) {
  const now = Math.max(0.1, placed(pauses, (useNow() - start) / 1000))
  const ended = rows.flatMap((row) => row.bars.map((bar) => bar.to ?? 0))
  const reached = Math.max(now, ...ended)
  return <Chart rows={rows} pauses={pauses} now={reached} end={reached} />
}

/** @param {{ rows: Row[], pauses: Pause[], now: number | null, end: number }} props */
function Chart({ rows, pauses, now, end }) {
  const span = end * (now === null ? 1.02 : ROOM_AHEAD)
  return (
    <div className={classes.chart} role="table" aria-label="Timeline">
      <div className={classes.axis} aria-hidden="true">
        {ticks(span)
          .filter((tick) => tick / span < 0.95)
          .map((tick, index) => (
            <span
              key={tick}
              className={classes.tick}
              data-odd={index % 2 === 1 || undefined}
              style={{ left: `${(tick / span) * 100}%` }}
            >
              {tickLabel(tick)}
            </span>
          ))}
      </div>
      {rows.map((row) => (
        <ChartRow key={row.key} row={row} now={now} span={span} />
      ))}
      <div className={classes.pauses} aria-hidden="true">
        {pauses.map((pause) => (
          <span key={pause.from} style={{ left: `${(placed(pauses, pause.to) / span) * 100}%` }} />
        ))}
      </div>
      {pauses.length > 0 && <p className={classes.note}>{pauseWords(pauses)}</p>}
    </div>
  )
}

/** @param {Pause[]} pauses */
const pauseWords = (pauses) =>
  `Dotted line: repaired ${pauses.map(({ from, to }) => duration(to - from)).join(', then ')} later; the time between is left out.`

/** @param {{ row: Row, now: number | null, span: number }} props */
function ChartRow({ row, now, span }) {
  return (
    <div role="row" className={classes.row}>
      <span role="rowheader" className={classes.name} title={row.hint}>
        {row.name}
        {row.hint && <small>{row.hint}</small>}
      </span>
      <span role="cell" className={classes.track}>
        {row.bars.map((bar, index) => (
          <BarView
            key={`${bar.from}-${bar.attempt ?? 0}`}
            bar={bar}
            now={now}
            span={span}
            followed={index < row.bars.length - 1}
          />
        ))}
        {row.bars.length === 0 && <Absent row={row} now={now} span={span} />}
        {now !== null && (
          <span className={classes.now} aria-hidden="true" style={{ left: `${(now / span) * 100}%` }} />
        )}
      </span>
    </div>
  )
}

/** @param {{ bar: Bar, now: number | null, span: number, followed: boolean }} props */
function BarView({ bar, now, span, followed }) {
  const to = bar.to ?? Math.max(now ?? bar.from, bar.from)
  const seconds = to - bar.from
  const label = bar.to === null ? elapsed(seconds) : duration(seconds)
  const attempt = bar.attempt ? `, attempt ${bar.attempt + 1}` : ''
  const left = (bar.from / span) * 100
  const width = (seconds / span) * 100
  return (
    <span
      className={classes.bar}
      data-kind={bar.face.kind}
      data-growing={bar.to === null || undefined}
      data-late={left + width > LATE || undefined}
      data-followed={followed || undefined}
      title={`${bar.face.word}, ${label}${attempt}`}
      style={{ left: `${left}%`, width: `${width}%` }}
    >
      <span className={classes.room}>
        <span className={classes.label}>
          <span aria-hidden="true">{SHAPES[bar.face.kind]}</span> <span className="tabular">{label}</span>
          <span className="hidden-text">{`${bar.face.word}${attempt}`}</span>
        </span>
      </span>
    </span>
  )
}

/** What has not begun stands dotted behind "now". @param {{ row: Row, now: number | null, span: number }} props */
function Absent({ row, now, span }) {
  const word = row.face?.word ?? 'Waiting'
  if (now === null || row.over) return <span className={classes.word}>{word}</span>
  return (
    <span className={classes.ahead} style={{ left: `calc(${(now / span) * 100}% + 6px)` }}>
      {word}
    </span>
  )
}
