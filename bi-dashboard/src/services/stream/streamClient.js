// @ts-check
/** @import { Envelope } from '../../api/types.js' */
/** @import { Connection, Environment, Position, Transport } from './transports.js' */
import { retryDelay } from './backoff.js'
import { advance, pollOnce, pollTransport, sseTransport, webSocketTransport } from './transports.js'

/**
 * @typedef {'WebSocket' | 'Server-Sent Events' | 'Long poll'} TransportName
 * @typedef {{ state: 'connecting' | 'live' | 'reconnecting' | 'offline', transport: TransportName | null,
 *   since: number, reason?: string }} ConnectionStatus  `since`: when it was last live (or first tried), ms
 * @typedef {{ now: () => number, setTimeout: (run: () => void, ms: number) => unknown, clearTimeout: (id: any) => void }} StreamClock
 */

const OFFLINE_AFTER_MS = 10_000
/** A connection that dies sooner than this, several times in a row, is one that a proxy does not let live. */
const SHORT_LIFE_MS = 5_000
const SHORT_LIVES_TOLERATED = 3
const BETTER_TRANSPORT_AFTER_MS = 600_000

/** @type {TransportName[]} */
const NAMES = ['WebSocket', 'Server-Sent Events', 'Long poll']

/**
 * Follows the event log for as long as the page lives. It remembers the last position, resumes after it, tells which
 * transport carries it, and falls back WebSocket → SSE → long poll when the better one does not get through while
 * the server can be reached. It never decides what an event means.
 *
 * @param {object} options
 * @param {Environment} options.environment
 * @param {StreamClock} options.clock
 * @param {() => number} [options.random]
 * @param {(envelopes: Envelope[]) => void} options.onEnvelopes
 * @param {(status: ConnectionStatus) => void} options.onStatus
 */
export function createStreamClient({ environment, clock, random = Math.random, onEnvelopes, onStatus }) {
  /** @type {Transport[]} */
  const transports = [webSocketTransport(environment), sseTransport(environment), pollTransport(environment)]
  /** @type {Position} */
  let position = null
  /** @type {Connection | null} */
  let connection = null
  /** @type {unknown} */
  let timer
  let [stopped, level, failures, shortLives] = [true, 0, 0, 0]
  let [openedAt, lostAt, degradedAt, resyncedAt] = [0, 0, 0, -Infinity]
  let opened = false
  let attempt = 0
  /** @type {ConnectionStatus} */
  let status = { state: 'connecting', transport: null, since: clock.now() }

  /** @param {ConnectionStatus['state']} state @param {string} [reason] */
  function tell(state, reason) {
    const transport = state === 'live' ? (NAMES[level] ?? null) : null
    if (status.state === state && status.transport === transport && status.reason === reason) return
    status = { state, transport, since: state === 'live' ? openedAt : lostAt, reason }
    onStatus(status)
  }

  function connect() {
    const mine = ++attempt
    const current = () => mine === attempt && !stopped
    opened = false
    const callbacks = {
      onOpen: () => current() && becameLive(),
      onEnvelopes: (/** @type {Envelope[]} */ envelopes) => {
        if (!current()) return
        position = advance(position, envelopes)
        onEnvelopes(envelopes)
      },
      onClosed: (/** @type {{ torn?: boolean, final?: boolean, reason?: string }} */ why) =>
        current() && closed(why),
    }
    try {
      connection = (transports[level] ?? pollTransport(environment))(position, callbacks)
    } catch {
      closed({})
    }
  }

  function becameLive() {
    opened = true
    openedAt = clock.now()
    failures = 0
    tell('live')
  }

  /** @param {{ torn?: boolean, final?: boolean, reason?: string }} why */
  function closed(why) {
    connection = null
    attempt += 1
    if (status.state === 'live' || status.state === 'connecting') lostAt = clock.now()
    if (why.torn) position = null
    if (why.final) return end(why.reason)
    stillTrying()
    if (opened) reopen()
    else void probeAndChoose()
  }

  /** @param {string} [reason] */
  function end(reason) {
    stopped = true
    tell('offline', reason || 'The server asked not to come back')
  }

  function stillTrying() {
    tell(clock.now() - lostAt >= OFFLINE_AFTER_MS ? 'offline' : 'reconnecting')
  }

  /** A connection that had been open is opened again the same way, unless it keeps dying young. */
  function reopen() {
    shortLives = clock.now() - openedAt < SHORT_LIFE_MS ? shortLives + 1 : 0
    if (shortLives >= SHORT_LIVES_TOLERATED) degrade()
    else if (level > 0 && clock.now() - degradedAt > BETTER_TRANSPORT_AFTER_MS) level = 0
    later()
  }

  /** Was it this transport that failed, or is the server away? Only the first is a reason for another transport. */
  async function probeAndChoose() {
    const mine = attempt
    const reachable = await pollOnce(environment, position, 0).then(
      () => true,
      () => false,
    )
    if (mine !== attempt || stopped) return
    if (!reachable) return later()
    if (level === transports.length - 1) return later()
    degrade()
    connect()
  }

  function degrade() {
    shortLives = 0
    degradedAt = clock.now()
    level = Math.min(level + 1, transports.length - 1)
  }

  function later() {
    const mine = attempt
    stillTrying()
    timer = clock.setTimeout(() => mine === attempt && !stopped && connect(), retryDelay(failures, random))
    failures += 1
  }

  function drop() {
    clock.clearTimeout(timer)
    attempt += 1
    connection?.close()
    connection = null
  }

  function reconnect() {
    if (stopped) return
    drop()
    if (status.state === 'live') lostAt = clock.now()
    connect()
  }

  return {
    start() {
      if (!stopped) return
      stopped = false
      lostAt = clock.now()
      connect()
    },
    stop() {
      stopped = true
      drop()
    },
    /** Forget the position: the next answer is a snapshot. */
    resync() {
      position = null
      const soonAgain = clock.now() - resyncedAt < 1000
      resyncedAt = clock.now()
      if (!soonAgain || stopped) return reconnect()
      drop()
      later()
    },
    /** The browser says that there is no network. */
    wentOffline() {
      if (stopped) return
      drop()
      lostAt = status.state === 'live' ? clock.now() : lostAt
      tell('offline')
    },
    /**
     * A sleeping laptop or a dropped NAT entry leaves a connection that looks open and delivers nothing.
     * Asks the server once; reconnects when it knows more than we do, or does not answer.
     */
    async verify() {
      if (stopped) return
      if (status.state !== 'live') return reconnect()
      if (position === null) return
      const mine = attempt
      const missed = await pollOnce(environment, position, 0).catch(() => null)
      if (
        mine === attempt &&
        !stopped &&
        (missed === null || missed.some((event) => event.seq > (position?.seq ?? -1)))
      )
        reconnect()
    },
  }
}
