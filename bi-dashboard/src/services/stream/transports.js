// @ts-check
/** @import { Envelope } from '../../api/types.js' */
import { isEnvelope, parseFrame } from './envelope.js'

/**
 * Three ways to the same stream. Each is opened at a position and calls back until it is closed, once, by either side.
 *
 * @typedef {{ seq: number, epoch: string } | null} Position
 * @typedef {object} Callbacks
 * @property {() => void} onOpen
 * @property {(envelopes: Envelope[]) => void} onEnvelopes
 * @property {(why: { torn?: boolean, final?: boolean, reason?: string }) => void} onClosed  never after `close()`
 * @typedef {{ close: () => void }} Connection
 * @typedef {(position: Position, callbacks: Callbacks) => Connection} Transport
 * @typedef {object} Environment
 * @property {typeof WebSocket} [WebSocket]
 * @property {typeof EventSource} [EventSource]
 * @property {typeof fetch} fetch
 * @property {{ protocol: string, host: string }} location
 */

/** @param {Position} position @param {Record<string, string>} [more] */
export function positionQuery(position, more = {}) {
  const query = new URLSearchParams(
    position ? { after: String(position.seq), epoch: position.epoch, ...more } : more,
  )
  return query.size === 0 ? '' : `?${query}`
}

/** Hands each text on, and reports a torn one. @param {Callbacks} callbacks @param {() => void} close @returns {(text: unknown) => void} */
function reader(callbacks, close) {
  return (text) => {
    const envelopes = typeof text === 'string' ? parseFrame(text) : null
    if (envelopes) return callbacks.onEnvelopes(envelopes)
    close()
    callbacks.onClosed({ torn: true })
  }
}

/** Close codes 4500–4999 mean: do not come back. @param {CloseEvent} event */
const closing = (event) => ({ final: event.code >= 4500 && event.code <= 4999, reason: event.reason })

/** @param {Environment} environment @returns {Transport} */
export const webSocketTransport = (environment) => (position, callbacks) => {
  const Socket = environment.WebSocket
  if (!Socket) throw new Error('no WebSocket here')
  const scheme = environment.location.protocol === 'https:' ? 'wss:' : 'ws:'
  const socket = new Socket(`${scheme}//${environment.location.host}/ws${positionQuery(position)}`)
  const close = () => {
    socket.onopen = socket.onmessage = socket.onclose = null
    socket.close()
  }
  const read = reader(callbacks, close)
  socket.onopen = () => callbacks.onOpen()
  socket.onmessage = (message) => read(message.data)
  socket.onclose = (event) => callbacks.onClosed(closing(event))
  return { close }
}

/** @param {Environment} environment @returns {Transport} */
export const sseTransport = (environment) => (position, callbacks) => {
  const Source = environment.EventSource
  if (!Source) throw new Error('no EventSource here')
  const source = new Source(`/api/events${positionQuery(position)}`)
  const close = () => {
    source.onopen = source.onmessage = source.onerror = null
    source.close()
  }
  const read = reader(callbacks, close)
  source.onopen = () => callbacks.onOpen()
  source.onmessage = (message) => read(message.data)
  source.onerror = () => {
    close()
    callbacks.onClosed({})
  }
  return { close }
}

/** @param {Environment} environment @param {Position} position @param {number} waitS @param {AbortSignal} [signal] @returns {Promise<Envelope[]>} */
export async function pollOnce(environment, position, waitS, signal) {
  const path = `/api/events/poll${positionQuery(position, { wait_s: String(waitS) })}`
  const response = await environment.fetch(path, { signal, headers: { Accept: 'application/json' } })
  if (!response.ok) throw new Error(`poll answered ${response.status}`)
  const answer = await response.json()
  if (!Array.isArray(answer?.events) || !answer.events.every(isEnvelope))
    throw new Error('poll answered nonsense')
  return answer.events
}

/** @param {Position} position @param {Envelope[]} envelopes @returns {Position} */
export function advance(position, envelopes) {
  const last = envelopes.at(-1)
  return last ? { seq: last.seq, epoch: last.epoch } : position
}

/** @param {Environment} environment @returns {Transport} */
export const pollTransport = (environment) => (start, callbacks) => {
  const abort = new AbortController()
  const loop = async () => {
    let position = start
    for (let waitS = 0; !abort.signal.aborted; waitS = 25) {
      const envelopes = await pollOnce(environment, position, waitS, abort.signal)
      if (abort.signal.aborted) return
      if (waitS === 0) callbacks.onOpen()
      position = advance(position, envelopes)
      if (envelopes.length > 0) callbacks.onEnvelopes(envelopes)
    }
  }
  loop().catch(() => {
    if (!abort.signal.aborted) callbacks.onClosed({})
  })
  return { close: () => abort.abort() }
}
