// @ts-check
/** @import { Face, StateKind } from '../lib/runStates.js' */
import classes from './StateMark.module.css'

/** @type {Record<StateKind, string>} */
export const SHAPES = {
  success: '✓',
  failed: '✕',
  active: '◐',
  starting: '◔',
  waiting: '○',
  skipped: '⤼',
  canceled: '⊘',
  attention: '!',
  unknown: '?',
}

/** A state as shape, word and colour. @param {{ face: Face, small?: boolean }} props */
export function StateMark({ face, small = false }) {
  return (
    <span className={classes.mark} data-kind={face.kind} data-small={small || undefined}>
      <span aria-hidden="true" className={classes.shape}>
        {SHAPES[face.kind]}
      </span>
      {face.word}
    </span>
  )
}

/** One small square per task, readable as words too. @param {{ squares: { name: string, face: Face }[] }} props */
export function StateSquares({ squares }) {
  const words = squares.map(({ name, face }) => `${name}: ${face.word}`).join(', ')
  return (
    <span role="img" aria-label={words} title={words} className={classes.squares}>
      {squares.map(({ name, face }) => (
        <span key={name} className={classes.square} data-kind={face.kind} aria-hidden="true">
          {SHAPES[face.kind]}
        </span>
      ))}
    </span>
  )
}
