// @ts-check
import classes from './BarList.module.css'

const SHOWN = 9

/**
 * Bars with their names and values. With `onChoose` each bar is a button that narrows the page to it.
 * @param {{ rows: { value: string, label: string, size: number, shown: string }[], chosen: string,
 *   label: string, onChoose?: (value: string) => void }} props
 */
export function BarList({ rows, chosen, label, onChoose }) {
  const largest = Math.max(...rows.map((row) => row.size), 0)
  const more = rows.length - SHOWN
  return (
    <>
      <ul className={classes.bars} aria-label={label}>
        {rows.slice(0, SHOWN).map((row) => (
          <li key={row.value}>
            <Bar
              row={row}
              part={largest ? row.size / largest : 0}
              chosen={row.value === chosen}
              onChoose={onChoose}
            />
          </li>
        ))}
      </ul>
      {more > 0 && <p className={classes.more}>{more} more in the table</p>}
    </>
  )
}

/** @param {{ row: { value: string, label: string, shown: string }, part: number, chosen: boolean, onChoose?: (value: string) => void }} props */
function Bar({ row, part, chosen, onChoose }) {
  const inside = (
    <>
      <span className={classes.name}>{row.label}</span>
      <span className={classes.value}>{row.shown}</span>
      <span className={classes.track} aria-hidden="true">
        <span className={classes.fill} style={{ width: `${Math.max(part * 100, 0.5)}%` }} />
      </span>
    </>
  )
  if (!onChoose) return <div className={classes.bar}>{inside}</div>
  return (
    <button
      type="button"
      className={classes.bar}
      aria-pressed={chosen}
      onClick={() => onChoose(chosen ? '' : row.value)}
    >
      {inside}
    </button>
  )
}
