// @ts-check
import { describe, expect, it } from 'vitest'
import { parseFrame } from '../src/services/stream/envelope.js'
import { retryDelay } from '../src/services/stream/backoff.js'
import { createStreamClient } from '../src/services/stream/streamClient.js'

/** @param {number} seq @param {string} [type] */
const envelope = (seq, type = 'databricks_job_progress') => ({
  seq,
  epoch: 'e1',
  type,
  at: '2026-11-23T08:00:00Z',
  data: {},
})

/** A clock that moves only when told. */
function handClock() {
  let now = 0
  /** @type {{ at: number, run: () => void, id: number }[]} */
  let timers = []
  let ids = 0
  return {
    now: () => now,
    setTimeout(/** @type {() => void} */ run, /** @type {number} */ ms) {
      timers.push({ at: now + ms, run, id: ++ids })
      return ids
    },
    clearTimeout: (/** @type {any} */ id) => void (timers = timers.filter((timer) => timer.id !== id)),
    next() {
      timers.sort((a, b) => a.at - b.at)
      const timer = timers.shift()
      if (!timer) throw new Error('nothing is waiting')
      const waited = timer.at - now
      now = timer.at
      timer.run()
      return waited
    },
    pass: (/** @type {number} */ ms) => void (now += ms),
    waiting: () => timers.length,
  }
}

/** A server of which every transport is driven by hand. @param {{ webSocket?: boolean, sse?: boolean }} [offer] */
function world({ webSocket = true, sse = true } = {}) {
  /** @type {any[]} */
  const sockets = []
  /** @type {any[]} */
  const sources = []
  /** @type {string[]} */
  const polls = []
  /** @type {any} */
  const seen = { envelopes: [], statuses: [] }
  const server = { up: true, events: /** @type {any[]} */ ([]) }
  class Socket {
    constructor(/** @type {string} */ url) {
      Object.assign(this, { url, closed: false })
      sockets.push(this)
    }
    close() {
      Object.assign(this, { closed: true })
    }
  }
  class Source {
    constructor(/** @type {string} */ url) {
      Object.assign(this, { url, closed: false })
      sources.push(this)
    }
    close() {
      Object.assign(this, { closed: true })
    }
  }
  const clock = handClock()
  const client = createStreamClient({
    clock,
    random: () => 0,
    environment: {
      location: { protocol: 'https:', host: 'pets.example' },
      WebSocket: webSocket ? /** @type {any} */ (Socket) : undefined,
      EventSource: sse ? /** @type {any} */ (Source) : undefined,
      fetch: /** @type {any} */ (
        async (/** @type {string} */ url, /** @type {any} */ { signal } = {}) => {
          polls.push(url)
          if (!server.up) throw new TypeError('network')
          if (url.includes('wait_s=25'))
            return new Promise((_resolve, reject) =>
              signal.addEventListener('abort', () => reject(new Error('aborted'))),
            )
          return { ok: true, json: async () => ({ epoch: 'e1', events: server.events }) }
        }
      ),
    },
    onEnvelopes: (list) => seen.envelopes.push(...list),
    onStatus: (status) => seen.statuses.push(status),
  })
  return {
    client,
    clock,
    sockets,
    sources,
    polls,
    seen,
    server,
    settle: () => new Promise((resolve) => setTimeout(resolve)),
  }
}

/** @param {ReturnType<typeof world>} w */
const lastStatus = (w) => w.seen.statuses.at(-1)

describe('a frame', () => {
  it('may hold several envelopes, one per line', () => {
    expect(
      parseFrame(`${JSON.stringify(envelope(1))}\n${JSON.stringify(envelope(2))}\n`)?.map((one) => one.seq),
    ).toEqual([1, 2])
  })
  it('that is torn is refused whole', () =>
    expect(parseFrame(`${JSON.stringify(envelope(1))}\n{"seq":2,`)).toBeNull())
  it('without the fields of an envelope is refused', () =>
    expect(parseFrame('{"seq":"1","epoch":"e","type":"t","data":{}}')).toBeNull())
})

describe('waiting to reconnect', () => {
  it('tries within a second at first and within 15 seconds at last', () => {
    expect(retryDelay(0, () => 0)).toBeLessThanOrEqual(1000)
    expect([4, 5, 6, 60].map((failures) => retryDelay(failures, () => 0))).toEqual([
      8000, 15000, 15000, 15000,
    ])
  })
  it('is spread by up to half', () => expect(retryDelay(3, () => 0.999)).toBeGreaterThan(1990))
})

describe('the stream', () => {
  it('begins without a position and is live over WebSocket', () => {
    const w = world()
    w.client.start()
    expect(w.sockets[0].url).toBe('wss://pets.example/ws')
    w.sockets[0].onopen()
    expect(lastStatus(w)).toMatchObject({ state: 'live', transport: 'WebSocket' })
  })

  it('resumes after the last event it saw', () => {
    const w = world()
    w.client.start()
    w.sockets[0].onopen()
    w.sockets[0].onmessage({
      data: `${JSON.stringify(envelope(1, 'snapshot'))}\n${JSON.stringify(envelope(2))}`,
    })
    w.clock.pass(60_000)
    w.sockets[0].onclose({ code: 1006, reason: '' })
    expect(lastStatus(w).state).toBe('reconnecting')
    expect(w.clock.next()).toBeLessThanOrEqual(1000)
    expect(w.sockets[1].url).toBe('wss://pets.example/ws?after=2&epoch=e1')
    expect(w.seen.envelopes.map((/** @type {any} */ one) => one.seq)).toEqual([1, 2])
  })

  it('takes server-sent events when WebSocket does not get through but the server answers', async () => {
    const w = world()
    w.client.start()
    w.sockets[0].onclose({ code: 1006, reason: '' })
    await w.settle()
    expect(w.sources[0].url).toBe('/api/events')
    w.sources[0].onopen()
    expect(lastStatus(w)).toMatchObject({ state: 'live', transport: 'Server-Sent Events' })
  })

  it('takes long poll when neither gets through', async () => {
    const w = world({ webSocket: false, sse: false })
    w.server.events = [envelope(5, 'snapshot')]
    w.client.start()
    for (let turn = 0; turn < 4; turn += 1) await w.settle()
    expect(lastStatus(w)).toMatchObject({ state: 'live', transport: 'Long poll' })
    expect(w.seen.envelopes.map((/** @type {any} */ one) => one.seq)).toEqual([5])
    expect(w.polls.at(-1)).toBe('/api/events/poll?after=5&epoch=e1&wait_s=25')
    w.client.stop()
  })

  it('stays with WebSocket while the whole server is away', async () => {
    const w = world()
    w.server.up = false
    w.client.start()
    for (let turn = 0; turn < 3; turn += 1) {
      w.sockets.at(-1).onclose({ code: 1006, reason: '' })
      await w.settle()
      w.clock.next()
    }
    expect([w.sockets.length, w.sources.length]).toEqual([4, 0])
  })

  it('says since when it is offline once that took ten seconds', async () => {
    const w = world()
    w.client.start()
    w.sockets[0].onopen()
    w.clock.pass(60_000)
    w.server.up = false
    w.sockets[0].onclose({ code: 1006, reason: '' })
    while (lastStatus(w).state !== 'offline') {
      w.clock.next()
      w.sockets.at(-1).onclose({ code: 1006, reason: '' })
      await w.settle()
    }
    expect(lastStatus(w).since).toBe(60_000)
    expect(w.clock.now()).toBeGreaterThanOrEqual(70_000)
  })

  it('leaves a WebSocket that a proxy keeps cutting young', async () => {
    const w = world()
    w.client.start()
    for (let life = 0; life < 3; life += 1) {
      w.sockets.at(-1).onopen()
      w.clock.pass(100)
      w.sockets.at(-1).onclose({ code: 1006, reason: '' })
      w.clock.next()
    }
    expect(w.sources).toHaveLength(1)
  })

  it('asks for a snapshot after a torn frame', () => {
    const w = world()
    w.client.start()
    w.sockets[0].onopen()
    w.sockets[0].onmessage({ data: JSON.stringify(envelope(1, 'snapshot')) })
    w.sockets[0].onmessage({ data: '{"seq":2' })
    w.clock.next()
    expect(w.sockets[1].url).toBe('wss://pets.example/ws')
  })

  it('asks for a snapshot on resync, and does not hammer when one follows another', () => {
    const w = world()
    w.client.start()
    w.sockets[0].onopen()
    w.sockets[0].onmessage({ data: JSON.stringify(envelope(1, 'snapshot')) })
    w.client.resync()
    expect(w.sockets[1].url).toBe('wss://pets.example/ws')
    w.client.resync()
    expect([w.sockets.length, w.clock.waiting()]).toEqual([2, 1])
  })

  it('does not come back when the server says so', () => {
    const w = world()
    w.client.start()
    w.sockets[0].onopen()
    w.sockets[0].onclose({ code: 4501, reason: 'sign in' })
    expect(lastStatus(w)).toMatchObject({ state: 'offline', reason: 'sign in' })
    expect(w.clock.waiting()).toBe(0)
  })

  it('reconnects when it wakes up and the server knows more', async () => {
    const w = world()
    w.client.start()
    w.sockets[0].onopen()
    w.sockets[0].onmessage({ data: JSON.stringify(envelope(1, 'snapshot')) })
    await w.client.verify()
    expect(w.sockets).toHaveLength(1)
    w.server.events = [envelope(2)]
    await w.client.verify()
    expect(w.sockets.map((socket) => socket.closed)).toEqual([true, false])
  })

  it('leaves a WebSocket whose handshake nobody answers', async () => {
    const w = world()
    w.client.start()
    expect(w.clock.next()).toBe(10_000)
    await w.settle()
    expect([w.sockets[0].closed, w.sources.length]).toEqual([true, 1])
  })

  it('leaves a transport that looks open and is held back, the second time it is found out', async () => {
    const w = world()
    w.client.start()
    w.sockets[0].onopen()
    w.sockets[0].onmessage({ data: JSON.stringify(envelope(1, 'snapshot')) })
    w.server.events = [envelope(2)]
    await w.client.verify()
    w.sockets[1].onopen()
    await w.client.verify()
    expect([w.sockets.length, w.sources.length]).toEqual([2, 1])
  })

  it('climbs back to WebSocket without a moment offline, and sees every event', async () => {
    const w = world()
    w.client.start()
    w.sockets[0].onclose({ code: 1006, reason: '' })
    await w.settle()
    w.sources[0].onopen()
    w.sources[0].onmessage({ data: JSON.stringify(envelope(1, 'snapshot')) })
    expect(w.clock.next()).toBe(60_000)
    expect([w.sockets[1].url, w.sources[0].closed]).toEqual(['wss://pets.example/ws?after=1&epoch=e1', false])
    w.sources[0].onmessage({ data: JSON.stringify(envelope(2)) })
    w.sockets[1].onopen()
    expect([w.sources[0].closed, lastStatus(w).transport]).toEqual([true, 'WebSocket'])
    w.sockets[1].onmessage({ data: `${JSON.stringify(envelope(2))}\n${JSON.stringify(envelope(3))}` })
    expect(new Set(w.seen.envelopes.map((/** @type {any} */ one) => one.seq))).toEqual(new Set([1, 2, 3]))
    expect(w.seen.statuses.map((/** @type {any} */ one) => one.state)).toEqual([
      'reconnecting',
      'live',
      'live',
    ])
    expect(w.clock.waiting()).toBe(0)
  })

  it('stays where it is when the better transport still does not get through, and asks less and less often', async () => {
    const w = world()
    w.client.start()
    w.sockets[0].onclose({ code: 1006, reason: '' })
    await w.settle()
    w.sources[0].onopen()
    const waits = []
    for (let turn = 0; turn < 5; turn += 1) {
      waits.push(w.clock.next())
      w.sockets.at(-1).onclose({ code: 1006, reason: '' })
    }
    expect(waits).toEqual([60_000, 120_000, 240_000, 480_000, 600_000])
    expect([w.sources.length, w.sources[0].closed, lastStatus(w).transport]).toEqual([
      1,
      false,
      'Server-Sent Events',
    ])
    w.client.stop()
    expect([w.sources[0].closed, w.clock.waiting()]).toEqual([true, 0])
  })

  it('climbs from long poll to server-sent events where WebSocket stays blocked', async () => {
    const w = world({ webSocket: false, sse: true })
    w.client.start()
    await w.settle()
    w.sources[0].onerror()
    for (let turn = 0; turn < 4; turn += 1) await w.settle()
    expect(lastStatus(w).transport).toBe('Long poll')
    w.clock.next()
    await w.settle()
    w.sources[1].onopen()
    expect(lastStatus(w).transport).toBe('Server-Sent Events')
    w.client.stop()
  })
})
