// @ts-check
import { createStreamClient } from './stream/streamClient.js'

/** The stream of the page that the browser shows. @param {Pick<Parameters<typeof createStreamClient>[0], 'onEnvelopes' | 'onStatus'>} handlers */
export function browserStream(handlers) {
  return createStreamClient({
    ...handlers,
    environment: {
      WebSocket: window.WebSocket,
      EventSource: window.EventSource,
      fetch: window.fetch.bind(window),
      location: window.location,
    },
    clock: {
      now: Date.now,
      setTimeout: (run, ms) => window.setTimeout(run, ms),
      clearTimeout: (id) => window.clearTimeout(id),
    },
  })
}
