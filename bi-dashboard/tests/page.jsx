// @ts-check
import { act, render } from '@testing-library/react'
import { MantineProvider } from '@mantine/core'
import { QueryClient, QueryClientProvider } from '@tanstack/react-query'
import { MemoryRouter } from 'react-router'
import { createLiveStore } from '../src/features/pipeline/liveStore.js'
import { Pages } from '../src/pages/Pages.jsx'

export const AT = '2026-11-23T08:00:00.000Z'

/** The whole dashboard at an address, with a stream that says what the test lets it say. @param {string} path */
export function openPage(path) {
  /** @type {any} */
  let handlers
  const calls = { resyncs: 0 }
  const store = createLiveStore({
    schedule: (flush) => flush(),
    openStream: (given) => {
      handlers = given
      return {
        start() {},
        stop() {},
        resync: () => void (calls.resyncs += 1),
        wentOffline() {},
        verify: async () => undefined,
      }
    },
  })
  const queries = new QueryClient({ defaultOptions: { queries: { retry: false, staleTime: Infinity } } })
  const view = render(
    <MantineProvider env="test">
      <QueryClientProvider client={queries}>
        <MemoryRouter initialEntries={[path]}>
          <Pages store={store} />
        </MemoryRouter>
      </QueryClientProvider>
    </MantineProvider>,
  )
  let seq = 0
  /** @param {string} type @param {Record<string, any>} data */
  const say = (type, data) =>
    act(async () => handlers.onEnvelopes([{ seq: ++seq, epoch: 'e1', type, at: AT, data }]))
  return {
    view,
    store,
    calls,
    say,
    connection: (/** @type {any} */ status) =>
      act(async () => handlers.onStatus({ since: Date.parse(AT), transport: null, ...status })),
    snapshot: (/** @type {Record<string, any>} */ data = {}) =>
      say('snapshot', {
        runs: [],
        layers: {},
        workspace: { kind: 'local', name: 'Local workspace', state: 'ok' },
        ...data,
      }),
    skip: () => void (seq += 1),
  }
}
