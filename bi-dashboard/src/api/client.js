// @ts-check
import { serverClock } from '../services/serverClock.js'

/** An answer of the server that says no, in its own words, or the absence of any answer (`code: "UNREACHABLE"`). */
export class ApiError extends Error {
  /** @param {number} status @param {string} code @param {string} message @param {unknown} [details] */
  constructor(status, code, message, details = null) {
    super(message)
    this.name = 'ApiError'
    this.status = status
    this.code = code
    /** @type {any} */
    this.details = details
  }

  /** True when nobody knows whether the server did the work: the same request may be sent again. */
  get unanswered() {
    return this.status === 0 || this.status === 502 || this.status === 503 || this.status === 504
  }
}

/** @param {Response} response @param {unknown} body */
function refusal(response, body) {
  const fields = /** @type {{ code?: string, message?: string, details?: unknown } | null} */ (
    body !== null && typeof body === 'object' ? body : null
  )
  const message = fields?.message ?? `The server answered ${response.status} ${response.statusText}`.trim()
  return new ApiError(response.status, fields?.code ?? `HTTP_${response.status}`, message, fields?.details)
}

/** @param {Response} response */
async function jsonOrNull(response) {
  const text = await response.text()
  try {
    return text === '' ? null : JSON.parse(text)
  } catch {
    return null
  }
}

/**
 * One request, one answer. Raises ApiError for every refusal and for silence.
 *
 * @param {string} path
 * @param {{ method?: string, body?: unknown, headers?: Record<string, string>, signal?: AbortSignal }} [options]
 * @returns {Promise<any>}
 */
export async function request(path, { method = 'GET', body, headers = {}, signal } = {}) {
  const init = {
    method,
    signal,
    headers: {
      Accept: 'application/json',
      ...(body === undefined ? {} : { 'Content-Type': 'application/json' }),
      ...headers,
    },
    body: body === undefined ? undefined : JSON.stringify(body),
  }
  /** @type {Response} */
  let response
  try {
    response = await fetch(path, init)
  } catch (cause) {
    if (signal?.aborted) throw cause
    throw new ApiError(
      0,
      'UNREACHABLE',
      'The server did not answer. Check that it is up and that you are online.',
    )
  }
  serverClock.observe(response.headers.get('date'))
  const answer = await jsonOrNull(response)
  if (!response.ok) throw refusal(response, answer)
  return answer
}

/** @param {Record<string, string | number | null | undefined>} parameters */
export function queryString(parameters) {
  const given = Object.entries(parameters).filter(
    ([, value]) => value !== undefined && value !== null && value !== '',
  )
  const text = new URLSearchParams(given.map(([key, value]) => [key, String(value)])).toString()
  return text === '' ? '' : `?${text}`
}

/** A random UUID, also on pages that are not a secure context, where `crypto.randomUUID` is missing. */
export function newRequestKey() {
  const bytes = crypto.getRandomValues(new Uint8Array(16))
  bytes[6] = ((bytes[6] ?? 0) & 0x0f) | 0x40
  bytes[8] = ((bytes[8] ?? 0) & 0x3f) | 0x80
  const hex = Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0')).join('')
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-${hex.slice(12, 16)}-${hex.slice(16, 20)}-${hex.slice(20)}`
}
