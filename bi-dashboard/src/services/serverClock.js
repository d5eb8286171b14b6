// @ts-check
const TOLERATED_SKEW_MS = 2000

/**
 * The server's time as seen from here. Elapsed times are differences to instants that the server wrote,
 * so a browser whose clock is wrong would show nonsense; the `Date` header of every answer corrects it.
 *
 * @param {() => number} now
 */
export function createServerClock(now = Date.now) {
  let offset = 0
  return {
    now: () => now() + offset,
    /** @param {string | null} dateHeader  one second coarse, hence the tolerance */
    observe(dateHeader) {
      const server = dateHeader === null ? NaN : Date.parse(dateHeader)
      if (Number.isNaN(server)) return
      const skew = server + 500 - now()
      offset = Math.abs(skew) > TOLERATED_SKEW_MS ? skew : 0
    },
  }
}

export const serverClock = createServerClock()
