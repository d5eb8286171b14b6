// @ts-check
/** @import { Connection } from './transports.js' */
/** @import { StreamClock } from './streamClient.js' */

export const FIRST_CLIMB_MS = 60_000
export const LONGEST_CLIMB_MS = 600_000

/**
 * Goes back to a better transport once it gets through again: a laptop that was behind a hotel's proxy at breakfast
 * should not poll all day. Each try is made beside the connection that works, which is left only for one that is open.
 *
 * @param {object} options
 * @param {StreamClock} options.clock
 * @param {(level: number, onOpen: () => void, onFailed: () => void) => Connection} options.open
 */
export function createClimb({ clock, open }) {
  let waitMs = FIRST_CLIMB_MS
  /** @type {unknown} */
  let timer
  /** @type {Connection | null} */
  let probe = null

  function stop() {
    clock.clearTimeout(timer)
    probe?.close()
    probe = null
  }

  /** @param {number} candidate @param {number} level */
  function attempt(candidate, level) {
    if (candidate === level) return later(level)
    probe = open(
      candidate,
      () => void (probe = null),
      () => attempt(candidate + 1, level),
    )
  }

  /** From `level`, try all that are better, after a pause that grows with every time. @param {number} level */
  function later(level) {
    stop()
    if (level === 0) return
    timer = clock.setTimeout(() => attempt(0, level), waitMs)
    waitMs = Math.min(waitMs * 2, LONGEST_CLIMB_MS)
  }

  return {
    later,
    stop,
    /** The network is another one: do not wait as long as the old one taught. */
    forget: () => void (waitMs = FIRST_CLIMB_MS),
  }
}
