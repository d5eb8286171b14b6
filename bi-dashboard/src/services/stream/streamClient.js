// @ts-check
/** @import { Envelope } from '../../api/types.js' */
/** @import { Callbacks, Connection, Environment, Position, Transport } from './transports.js' */
import { retryDelay } from './backoff.js'
import { createClimb } from './climb.js'
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
/** A proxy may swallow the upgrade to WebSocket without a word. */
const OPEN_WITHIN_MS = 10_000
/** A connection that looks open and had missed events this often is one that somebody holds back. */
const SILENCES_TOLERATED = 2

/** @type {TransportName[]} */
const NAMES = ['WebSocket', 'Server-Sent Events', 'Long poll']

/**
 * Follows the event log for as long as the page lives. It remembers the last position, resumes after it, tells which
 * transport carries it, and falls back WebSocket → SSE → long poll when the better one does not get through while
 * the server can be reached, and climbs back. It never decides what an event means.
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
  let [openedAt, lostAt, resyncedAt] = [0, 0, -Infinity]
  let opened = false
  let [attempt, attempts, silences] = [0, 0, 0]
  /** @type {ConnectionStatus} */
  let status = { state: 'connecting', transport: null, since: clock.now() }

  /** @param {ConnectionStatus['state']} state @param {string} [reason] */
  function tell(state, reason) {
    const transport = state === 'live' ? (NAMES[level] ?? null) : null
    if (status.state === state && status.transport === transport && status.reason === reason) return
    status = { state, transport, since: state === 'live' ? openedAt : lostAt, reason }
    onStatus(status)
  }

  /**
   * Open a transport. It counts as the connection once `attempt` is its number; until then only its fate is told.
   *
   * @param {number} mine @param {number} on
   * @param {() => void} onOpen @param {(why: Parameters<Callbacks['onClosed']>[0]) => void} onFailed
   * @returns {Connection}
   */
  function open(mine, on, onOpen, onFailed) {
    /** @type {Connection | null} */
    let opening = null
    let [isOpen, over] = [false, false]
    const close = () => {
      over = true
      clock.clearTimeout(patience)
      opening?.close()
    }
    /** @type {Callbacks['onClosed']} */
    const fail = (why) => {
      if (over) return
      close()
      onFailed(why)
    }
    const patience = clock.setTimeout(() => fail({}), OPEN_WITHIN_MS)
    const callbacks = {
      onOpen: () => {
        if (over) return
        isOpen = true
        clock.clearTimeout(patience)
        onOpen()
      },
      onEnvelopes: (/** @type {Envelope[]} */ envelopes) => void (mine === attempt && take(envelopes)),
      onClosed: (/** @type {Parameters<Callbacks['onClosed']>[0]} */ why) => {
        if (!isOpen) return fail(why)
        over = true
        if (mine === attempt && !stopped) closed(why)
      },
    }
    try {
      opening = (transports[on] ?? pollTransport(environment))(position, callbacks)
    } catch {
      queueMicrotask(() => fail({})) // the caller has to have the connection before it can hear of its end
    }
    return { close }
  }

  /** @param {Envelope[]} envelopes */
  function take(envelopes) {
    silences = 0
    position = advance(position, envelopes)
    onEnvelopes(envelopes)
  }

  function connect() {
    const mine = (attempt = ++attempts)
    opened = false
    connection = open(mine, level, becameLive, (why) => mine === attempt && !stopped && closed(why))
  }

  const climb = createClimb({
    clock,
    open(better, onOpen, onFailed) {
      const mine = ++attempts
      const reached = () => {
        onOpen()
        connection?.close()
        connection = found
        attempt = mine
        level = better
        becameLive()
      }
      const found = open(mine, better, reached, onFailed)
      return found
    },
  })

  function becameLive() {
    opened = true
    openedAt = clock.now()
    failures = 0
    tell('live')
    climb.later(level)
  }

  /** @param {{ torn?: boolean, final?: boolean, reason?: string }} why */
  function closed(why) {
    connection = null
    attempt = ++attempts
    climb.stop()
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
    shortLives = silences = 0
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
    climb.stop()
    attempt = ++attempts
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
      climb.forget()
      level = 0
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
      ) {
        silences += missed === null ? 0 : 1
        if (silences >= SILENCES_TOLERATED) degrade()
        reconnect()
      }
    },
  }
}
