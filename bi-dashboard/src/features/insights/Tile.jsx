// @ts-check
import { Sparkline } from './Sparkline.jsx'
import classes from './KpiTiles.module.css'

const ARROWS = { up: '▲', down: '▼', flat: '■' }

/** @typedef {{ direction: 'up' | 'down' | 'flat', tone: 'good' | 'bad' | 'neutral', words: string }} Delta */

/** @param {{ children: import('react').ReactNode }} props */
export const Tiles = ({ children }) => (
  <ul className={classes.tiles} aria-label="Key figures">
    {children}
  </ul>
)

/**
 * A figure with its change. `children` say what the change is measured against.
 * @param {{ name: string, meaning: string, value: string, basis: string, values?: (number | null | undefined)[],
 *   delta: Delta | null, children?: import('react').ReactNode }} props
 */
export function Tile({ name, meaning, value, basis, values, delta, children }) {
  return (
    <li className={classes.tile}>
      <p className={classes.name} title={meaning}>
        {name}
      </p>
      <p className={classes.value}>{value}</p>
      <p className={classes.basis}>{basis}</p>
      {values && <Sparkline values={values} />}
      <p className={classes.month}>
        {children}
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
