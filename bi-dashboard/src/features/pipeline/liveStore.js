// @ts-check
/** @import { Envelope } from '../../api/types.js' */
/** @import { ConnectionStatus } from '../../services/stream/streamClient.js' */
/** @import { LiveState } from './runReducer.js' */
import { EMPTY, runReducer } from './runReducer.js'

/**
 * Holds the live state and tells its readers at most once per frame, however many events arrive.
 *
 * @param {object} options
 * @param {(handlers: { onEnvelopes: (envelopes: Envelope[]) => void, onStatus: (status: ConnectionStatus) => void }) =>
 *   { start: () => void, stop: () => void, resync: () => void, wentOffline: () => void, verify: () => Promise<void> }} options.openStream
 * @param {(flush: () => void) => void} options.schedule  runs `flush` soon, once
 * @param {number} [options.now]
 */
export function createLiveStore({ openStream, schedule, now = Date.now() }) {
  let live = EMPTY
  /** @type {ConnectionStatus} */
  let connection = { state: 'connecting', transport: null, since: now }
  let lastHeardAt = now
  /** @type {Envelope[]} */
  let waiting = []
  /** @type {Set<() => void>} */
  const listeners = new Set()
  const tell = () => listeners.forEach((listener) => listener())

  function flush() {
    const batch = waiting
    waiting = []
    for (const event of batch) {
      const next = runReducer(live, event)
      if (next === 'gap') {
        stream.resync()
        break
      }
      live = next
    }
    tell()
  }

  const stream = openStream({
    onEnvelopes(envelopes) {
      lastHeardAt = Date.now()
      const first = waiting.length === 0
      waiting = waiting.concat(envelopes)
      if (first) schedule(flush)
    },
    onStatus(status) {
      connection = status
      tell()
    },
  })

  return {
    stream,
    live: () => live,
    connection: () => connection,
    lastHeardAt: () => lastHeardAt,
    /** @param {(state: LiveState) => LiveState} change */
    update(change) {
      live = change(live)
      tell()
    },
    /** @param {() => void} listener */
    subscribe(listener) {
      listeners.add(listener)
      return () => void listeners.delete(listener)
    },
  }
}

/** @typedef {ReturnType<typeof createLiveStore>} LiveStore */

/** Once per frame while the page is seen; hidden pages get no frames, so a timer stands in. @param {() => void} flush */
export function nextFrame(flush) {
  if (document.hidden) setTimeout(flush, 200)
  else requestAnimationFrame(flush)
}
