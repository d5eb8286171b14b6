// @ts-check
/** @import { LiveStore } from '../features/pipeline/liveStore.js' */
import { lazy, Suspense } from 'react'
import { Navigate, Outlet, Route, Routes } from 'react-router'
import { Notifications } from '@mantine/notifications'
import { Placeholder } from '../components/Feedback.jsx'
import { DeveloperTools } from '../features/developer/DeveloperTools.jsx'
import { Shell } from '../features/shell/Shell.jsx'
import { RunStreamProvider, useConnection, useLive } from '../features/pipeline/useRunStream.jsx'
import { TriggerProvider } from '../features/pipeline/useRunActions.jsx'
import { RunWatch } from '../features/pipeline/RunWatch.jsx'
import { Commands } from './Commands.jsx'
import { PipelinePage } from './PipelinePage.jsx'

const OverviewPage = lazy(() => import('./OverviewPage.jsx'))
const InsightPage = lazy(() => import('./InsightPage.jsx'))
const RunsPage = lazy(() => import('./RunsPage.jsx'))
const RunPage = lazy(() => import('./RunPage.jsx'))
const ClaimsPage = lazy(() => import('./ClaimsPage.jsx'))
const NotFoundPage = lazy(() => import('./NotFoundPage.jsx'))

/** Every page, told by one live stream. @param {{ store: LiveStore }} props */
export function Pages({ store }) {
  return (
    <RunStreamProvider store={store}>
      <TriggerProvider>
        <Routes>
          <Route element={<Frame />}>
            <Route index element={<Navigate to="/pipeline" replace />} />
            <Route path="pipeline" element={<PipelinePage />} />
            <Route path="overview" element={<OverviewPage />} />
            <Route path="insights/claims" element={<InsightPage name="claims" />} />
            <Route path="insights/customers" element={<InsightPage name="customers" />} />
            <Route path="insights/providers" element={<InsightPage name="providers" />} />
            <Route path="insights/risk" element={<InsightPage name="risk" />} />
            <Route path="runs" element={<RunsPage />} />
            <Route path="runs/:runId" element={<RunPage />} />
            <Route path="claims" element={<ClaimsPage />} />
            <Route path="*" element={<NotFoundPage />} />
          </Route>
        </Routes>
        <RunWatch />
        <Notifications position="bottom-right" limit={4} />
      </TriggerProvider>
    </RunStreamProvider>
  )
}

function Frame() {
  const connection = useConnection()
  const workspace = useLive((state) => state.workspace)
  return (
    <Shell
      connection={connection}
      workspace={workspace}
      tools={
        <>
          <Commands />
          <DeveloperTools workspace={workspace} />
        </>
      }
    >
      <Suspense fallback={<Placeholder height={420} />}>
        <Outlet />
      </Suspense>
    </Shell>
  )
}
