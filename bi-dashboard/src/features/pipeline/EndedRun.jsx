// @ts-check
/** @import { Run } from '../../api/types.js' */
import { duration } from '../../lib/format.js'
import { isAccepted, routeOf, runFace, succeeded } from '../../lib/runStates.js'
import { Panel } from '../../components/Page.jsx'
import { StateMark } from '../../components/StateMark.jsx'
import { When } from '../../components/Times.jsx'
import { RunFigures, TablesInShort } from './Records.jsx'
import { RetryButton, RunError } from './RunError.jsx'
import { OpenRun, RunLink } from './RunLinks.jsx'
import { RunTimeline } from './RunTimeline.jsx'

/** @type {Record<string, string>} */
const VERBS = {
  SUCCESS: 'finished in',
  SUCCESS_WITH_FAILURES: 'finished in',
  FAILED: 'failed after',
  TIMEDOUT: 'timed out after',
  CANCELED: 'was canceled after',
}

/** @param {Run} run */
function headline(run) {
  if (!isAccepted(run)) return 'The workspace did not take the request'
  const words = VERBS[run.result ?? ''] ?? 'ended after'
  return `${routeOf(run)} ${words} ${duration(run.duration_s)}`
}

/** How a run ended: what came out, or why nothing did. @param {{ run: Run, alone?: boolean }} props  `alone` on a page of its own, which has the rest */
export function EndedRun({ run, alone = false }) {
  const good = succeeded(run)
  const canceled = run.result === 'CANCELED'
  return (
    <Panel
      label="How it ended"
      tone={good || canceled ? undefined : 'failed'}
      title={
        <span className="row" style={{ gap: 10 }}>
          {!alone && <StateMark face={runFace(run)} />}
          {headline(run)}
        </span>
      }
      aside={
        <>
          {!alone && <RunLink run={run} />}
          <When at={run.ended_at} />
          <OpenRun run={run} />
          {canceled && <RetryButton run={run} />}
        </>
      }
    >
      <div className="stack">
        {!good && !canceled && <RunError run={run} />}
        {isAccepted(run) && <RunFigures run={run} />}
        <RunTimeline run={run} />
        {!alone && <TablesInShort tables={run.tables} />}
      </div>
    </Panel>
  )
}
