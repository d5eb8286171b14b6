// @ts-check
import { PageHeader } from '../components/Page.jsx'
import { StateMark } from '../components/StateMark.jsx'
import { LakeNotice } from '../features/pipeline/LakeNotice.jsx'
import { LayerCards } from '../features/pipeline/LayerCards.jsx'
import { RecentRuns } from '../features/pipeline/RecentRuns.jsx'
import { RunsNow } from '../features/pipeline/RunsNow.jsx'
import { TriggerBar } from '../features/pipeline/TriggerBar.jsx'
import { usePipelineHeading } from '../features/pipeline/usePipelineHeading.jsx'
import { WorkspaceNotice } from '../features/pipeline/WorkspaceNotice.jsx'
import { useClaimChoice } from '../features/pipeline/useClaimChoice.js'
import { useLive } from '../features/pipeline/useRunStream.jsx'

/** Click a layer, see it run, see what came out. */
export function PipelinePage() {
  const choice = useClaimChoice()
  const workspace = useLive((state) => state.workspace)
  const { face, summary } = usePipelineHeading()
  return (
    <>
      <PageHeader title="Pipeline" mark={<StateMark face={face} />} summary={summary} />
      <WorkspaceNotice workspace={workspace} />
      <LakeNotice />
      <TriggerBar choice={choice} />
      <RunsNow />
      <LayerCards choice={choice} />
      <RecentRuns />
    </>
  )
}
