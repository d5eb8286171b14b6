// @ts-check
/** @import { PageState } from './states.js' */
import { useState } from 'react'
import { MemoryRouter } from 'react-router'
import { QueryClient, QueryClientProvider } from '@tanstack/react-query'
import { createLiveStore } from '../features/pipeline/liveStore.js'
import { Pages } from '../pages/Pages.jsx'
import { fixtureFetch } from './fixtureServer.js'
import { layers as usualLayers, localWorkspace } from './fixtureRuns.js'
import { STATES } from './states.js'

const nothing = () => undefined

/** A store that was told one snapshot and hears nothing more. @param {PageState} state */
function frozenStore({ runs = [], layers = usualLayers, workspace = localWorkspace, connection }) {
  const store = createLiveStore({
    schedule: (flush) => queueMicrotask(flush),
    openStream: ({ onEnvelopes, onStatus }) => ({
      start() {
        onStatus({ state: 'live', transport: 'WebSocket', since: Date.now() - 30_000, ...connection })
        if (runs !== null)
          onEnvelopes([
            {
              seq: 1,
              epoch: 'fixtures',
              type: 'snapshot',
              at: new Date().toISOString(),
              data: { runs, layers, workspace },
            },
          ])
      },
      stop: nothing,
      resync: nothing,
      wentOffline: nothing,
      verify: async () => undefined,
    }),
  })
  return store
}

/** @param {PageState} state */
function scene(state) {
  window.fetch = fixtureFetch(state.mood ?? 'usual')
  return {
    store: frozenStore(state),
    queries: new QueryClient({ defaultOptions: { queries: { retry: false, staleTime: Infinity } } }),
  }
}

/** Every state of every page, from fixtures: for screenshots and accessibility checks. It talks to no server. */
export default function StatesPage() {
  const name = window.location.pathname.split('/')[3] ?? ''
  const state = STATES[name]
  return state ? <Scene state={state} /> : <Index />
}

/** @param {{ state: PageState }} props */
function Scene({ state }) {
  const [{ store, queries }] = useState(() => scene(state))
  return (
    <QueryClientProvider client={queries}>
      <MemoryRouter initialEntries={[state.path]}>
        <Pages store={store} />
      </MemoryRouter>
    </QueryClientProvider>
  )
}

const Index = () => (
  <main style={{ padding: 24 }}>
    <h1>States</h1>
    <ul>
      {Object.keys(STATES).map((name) => (
        <li key={name}>
          <a href={`/dev/states/${name}`}>{name}</a>
        </li>
      ))}
    </ul>
  </main>
)
