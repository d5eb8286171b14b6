// @ts-check
import { Link } from 'react-router'
import { Button } from '@mantine/core'
import { isAccepted, routeOf } from '../../lib/runStates.js'
import { EmptyState } from '../../components/Feedback.jsx'
import { Elapsed } from '../../components/Times.jsx'
import { phaseWords, runName } from './announcements.js'
import { useRuns } from './useRunStream.jsx'

/** In the place of figures that are not there yet: the run that makes them above `outline`, or `children` while there is none. @param {{ title: string, outline: import('react').ReactNode, children: import('react').ReactNode }} props */
export function Underway({ title, outline, children }) {
  const { active } = useRuns()
  const run = active[0]
  if (!run) return children
  const watch = (
    <Button component={Link} to={isAccepted(run) ? `/runs/${run.run_id}` : '/pipeline'}>
      Watch the run
    </Button>
  )
  return (
    <>
      <EmptyState title={title} action={watch} busy>
        {runName(run)} ({routeOf(run)}) {phaseWords(run)}, for{' '}
        <Elapsed from={run.started_at ?? run.requested_at} />. This page fills by itself.
      </EmptyState>
      {outline}
    </>
  )
}
