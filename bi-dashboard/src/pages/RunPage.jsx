// @ts-check
import { Link, useParams } from 'react-router'
import { useQuery } from '@tanstack/react-query'
import { ErrorState, Placeholder } from '../components/Feedback.jsx'
import { PageHeader } from '../components/Page.jsx'
import { StateMark } from '../components/StateMark.jsx'
import { When } from '../components/Times.jsx'
import { runQuery } from '../features/pipeline/api.js'
import { ActiveRun } from '../features/pipeline/ActiveRun.jsx'
import { EndedRun } from '../features/pipeline/EndedRun.jsx'
import { normalised } from '../features/pipeline/runReducer.js'
import { RunTasks } from '../features/pipeline/RunTasks.jsx'
import { RunFacts } from '../features/pipeline/RunFacts.jsx'
import { useLive, useLiveRun } from '../features/pipeline/useRunStream.jsx'
import { isActive, routeOf, runFace } from '../lib/runStates.js'

/** One run: what it did, what came out, what was said. Live while it is active. */
export default function RunPage() {
  const { runId = '' } = useParams()
  const workspace = useLive((state) => state.workspace)
  const live = useLiveRun(runId)
  const stored = useQuery(runQuery(runId))
  const detail = stored.data
    ? normalised(stored.data, new Date(stored.dataUpdatedAt).toISOString())
    : undefined
  const run =
    live && detail
      ? { ...detail, ...live, claim_ids: live.claim_ids?.length ? live.claim_ids : detail.claim_ids }
      : (live ?? detail)
  const back = <Link to="/runs">All runs</Link>
  if (!run) {
    return (
      <>
        <PageHeader title={`Run ${runId}`} summary={back} />
        {stored.error ? (
          <ErrorState
            title="This run could not be read"
            error={stored.error}
            onRetry={() => void stored.refetch()}
          />
        ) : (
          <Placeholder height={420} label="Loading the run" />
        )}
      </>
    )
  }
  const summary = (
    <>
      {back} · {routeOf(run)} · requested by {run.requested_by ?? 'somebody unknown'}{' '}
      <When at={run.requested_at} absolute />
    </>
  )
  return (
    <>
      <PageHeader title={`Run ${run.run_id}`} mark={<StateMark face={runFace(run)} />} summary={summary} />
      {isActive(run) ? <ActiveRun run={run} workspace={workspace} /> : <EndedRun run={run} alone />}
      <RunTasks run={run} />
      <RunFacts run={run} />
    </>
  )
}
