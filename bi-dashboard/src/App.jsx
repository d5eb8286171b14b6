// @ts-check
import { lazy, Suspense } from 'react'
import { BrowserRouter, Navigate, Route, Routes } from 'react-router'
import { MantineProvider } from '@mantine/core'
import { Notifications } from '@mantine/notifications'
import { QueryClient, QueryClientProvider } from '@tanstack/react-query'
import { ApiError } from './api/client.js'
import { browserStream } from './services/connection.js'
import { Placeholder } from './components/Feedback.jsx'
import { createLiveStore, nextFrame } from './features/pipeline/liveStore.js'
import { RunStreamProvider } from './features/pipeline/useRunStream.jsx'
import { TriggerProvider } from './features/pipeline/useRunActions.jsx'
import { RunWatch } from './features/pipeline/RunWatch.jsx'
import { LiveShell } from './pages/LiveShell.jsx'
import { PipelinePage } from './pages/PipelinePage.jsx'
import { theme, variables } from './theme.js'

const OverviewPage = lazy(() => import('./pages/OverviewPage.jsx'))
const RunsPage = lazy(() => import('./pages/RunsPage.jsx'))
const RunPage = lazy(() => import('./pages/RunPage.jsx'))
const ClaimsPage = lazy(() => import('./pages/ClaimsPage.jsx'))
const NotFoundPage = lazy(() => import('./pages/NotFoundPage.jsx'))
const StatesPage = lazy(() => import('./dev/StatesPage.jsx'))

/** Events say when something is old, so nothing is fetched again by itself; refusals are final, silence is asked again. */
const queries = new QueryClient({
  defaultOptions: {
    queries: {
      staleTime: Infinity,
      refetchOnWindowFocus: false,
      retry: (failures, error) => failures < 2 && error instanceof ApiError && error.unanswered,
    },
  },
})
const store = createLiveStore({ openStream: browserStream, schedule: nextFrame })

export function App() {
  return (
    <MantineProvider theme={theme} cssVariablesResolver={variables} defaultColorScheme="auto">
      <QueryClientProvider client={queries}>
        <BrowserRouter>
          <Routes>
            <Route path="/dev/states/:name?" element={<Waiting page={<StatesPage />} />} />
            <Route element={<LiveApp />}>
              <Route index element={<Navigate to="/pipeline" replace />} />
              <Route path="pipeline" element={<PipelinePage />} />
              <Route path="overview" element={<Waiting page={<OverviewPage />} />} />
              <Route path="runs" element={<Waiting page={<RunsPage />} />} />
              <Route path="runs/:runId" element={<Waiting page={<RunPage />} />} />
              <Route path="claims" element={<Waiting page={<ClaimsPage />} />} />
              <Route path="*" element={<Waiting page={<NotFoundPage />} />} />
            </Route>
          </Routes>
        </BrowserRouter>
      </QueryClientProvider>
    </MantineProvider>
  )
}

/** @param {{ page: import('react').ReactNode }} props */
const Waiting = ({ page }) => <Suspense fallback={<Placeholder height={420} />}>{page}</Suspense>

function LiveApp() {
  return (
    <RunStreamProvider store={store}>
      <TriggerProvider>
        <LiveShell />
        <RunWatch />
        <Notifications position="bottom-right" limit={4} />
      </TriggerProvider>
    </RunStreamProvider>
  )
}
