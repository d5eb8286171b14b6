// @ts-check
import { lazy, Suspense } from 'react'
import { BrowserRouter } from 'react-router'
import { MantineProvider } from '@mantine/core'
import { QueryClient, QueryClientProvider } from '@tanstack/react-query'
import { ApiError } from './api/client.js'
import { browserStream } from './services/connection.js'
import { createLiveStore, nextFrame } from './features/pipeline/liveStore.js'
import { Pages } from './pages/Pages.jsx'
import { theme, variables } from './theme.js'

const StatesPage = lazy(() => import('./dev/StatesPage.jsx'))

/** Events say when something is old, so nothing is fetched again by itself; refusals are final, silence is asked again. */
const newQueries = () =>
  new QueryClient({
    defaultOptions: {
      queries: {
        staleTime: Infinity,
        refetchOnWindowFocus: false,
        networkMode: 'always',
        retry: (failures, error) => failures < 2 && error instanceof ApiError && error.unanswered,
      },
      mutations: { networkMode: 'always' },
    },
  })

export function App() {
  const states = window.location.pathname.startsWith('/dev/states')
  return (
    <MantineProvider theme={theme} cssVariablesResolver={variables} defaultColorScheme="auto">
      {states ? (
        <Suspense>
          <StatesPage />
        </Suspense>
      ) : (
        <LiveApp />
      )}
    </MantineProvider>
  )
}

/** @type {{ store: ReturnType<typeof createLiveStore>, queries: QueryClient } | undefined} */
let parts
const liveParts = () =>
  (parts ??= {
    store: createLiveStore({ openStream: browserStream, schedule: nextFrame }),
    queries: newQueries(),
  })

function LiveApp() {
  const { store, queries } = liveParts()
  return (
    <QueryClientProvider client={queries}>
      <BrowserRouter>
        <Pages store={store} />
      </BrowserRouter>
    </QueryClientProvider>
  )
}
