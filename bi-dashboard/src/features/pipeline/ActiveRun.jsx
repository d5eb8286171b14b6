// @ts-check
/** @import { Run, Workspace } from '../../api/types.js' */
import { Loader } from '@mantine/core'
import { IconX } from '@tabler/icons-react'
import { clockTime, plural } from '../../lib/format.js'
import {
  currentTask,
  isAccepted,
  isOver,
  notebookOfTask,
  routeOf,
  runFace,
  taskName,
} from '../../lib/runStates.js'
import { ConfirmButton } from '../../components/ConfirmButton.jsx'
import { errorWords } from '../../components/Feedback.jsx'
import { Panel } from '../../components/Page.jsx'
import { StateMark } from '../../components/StateMark.jsx'
import { Elapsed } from '../../components/Times.jsx'
import { ClusterStart } from './ClusterStart.jsx'
import { EtaBadge } from './EtaBadge.jsx'
import { OpenRun, RunLink } from './RunLinks.jsx'
import { RunTimeline } from './RunTimeline.jsx'
import { useCancel } from './useRunActions.jsx'
import classes from './ActiveRun.module.css'

/** @param {Run} run @param {Workspace | null} workspace */
function headline(run, workspace) {
  const place = workspace?.kind === 'databricks' ? 'Databricks' : 'the local workspace'
  if (!isAccepted(run)) return `Sending to ${place}…`
  if (run.state === 'QUEUED') return `Queued on ${place}…`
  if (run.state === 'TERMINATING') return `Stopping on ${place}…`
  return `Running on ${place}…`
}

/** A run that has not ended: what it does now, how far it is, how long it may take. @param {{ run: Run, workspace: Workspace | null }} props */
export function ActiveRun({ run, workspace }) {
  const title = headline(run, workspace)
  return (
    <Panel
      label={title}
      title={
        <span className={classes.headline}>
          <Loader size={18} aria-hidden="true" />
          {title}
          <StateMark face={runFace(run)} />
        </span>
      }
      aside={<RunButtons run={run} />}
    >
      <div className="stack">
        <div className={classes.facts}>
          <span>
            <RunLink run={run} /> · {routeOf(run)}
            {run.claim_ids?.length ? ` · ${plural(run.claim_ids.length, 'chosen claim')}` : ''}
            {run.attempt ? ` · repair, attempt ${run.attempt + 1}` : ''}
          </span>
          <span className={classes.times}>
            <span>
              Elapsed{' '}
              <b>
                <Elapsed from={run.started_at ?? run.requested_at} />
              </b>
            </span>
            <EtaBadge run={run} />
          </span>
        </div>
        <Canceling run={run} />
        {isAccepted(run) ? <Doing run={run} /> : <NotAccepted run={run} />}
        {isAccepted(run) && <RunTimeline run={run} />}
      </div>
    </Panel>
  )
}

/** @param {{ run: Run }} props */
function RunButtons({ run }) {
  const { cancel, asked, error } = useCancel(run)
  return (
    <>
      <OpenRun run={run} />
      {isAccepted(run) && (
        <ConfirmButton
          question={`Cancel run ${run.run_id}? Tables that are finished stay as they are.`}
          yes="Cancel the run"
          onConfirm={cancel}
          disabled={asked || run.state === 'TERMINATING'}
          leftSection={<IconX aria-hidden="true" size={16} />}
        >
          {asked ? 'Cancel requested' : 'Cancel run'}
        </ConfirmButton>
      )}
      {error && (
        <span role="alert" className={classes.fault}>
          {errorWords(error)}
        </span>
      )}
    </>
  )
}

/** @param {{ run: Run }} props */
function NotAccepted({ run }) {
  if (run.submission_state !== 'SUBMITTING')
    return <p className="dimmed">Waiting for the workspace to take it.</p>
  const next = run.next_try_at ? `, next try ${clockTime(run.next_try_at)}` : ''
  return (
    <p role="status" className={classes.notice}>
      {`Not accepted yet: ${run.submit_reason ?? 'the workspace did not say why'}${next}`}
    </p>
  )
}

/** Somebody wants it to stop, and the workspace has not said yet that it did. @param {{ run: Run }} props */
function Canceling({ run }) {
  if (!run.cancel) return null
  const { state, requested_by, requested_at, next_try_at, error } = run.cancel
  const next = next_try_at ? `, next try ${clockTime(next_try_at)}` : ''
  const how =
    state === 'DONE'
      ? 'The workspace has taken it; the run is active until the workspace says that it ended.'
      : error
        ? `The workspace has not taken it yet: ${error.message}${next}`
        : 'It is on its way to the workspace.'
  return (
    <p role="status" className={classes.notice}>
      {`Cancellation requested by ${requested_by} at ${clockTime(requested_at)}. ${how}`}
    </p>
  )
}

/** @param {{ run: Run }} props */
function Doing({ run }) {
  if (run.phase === 'cluster_starting') return <ClusterStart run={run} />
  if (run.state === 'QUEUED' || run.phase === 'queued')
    return <p className="dimmed">Waits for its turn: the workspace does one run of the job at a time.</p>
  return <TaskProgress run={run} />
}

/** @param {Run} run */
export function progressOf(run) {
  const done = run.tasks.filter(isOver).length
  const within =
    run.progress && run.progress.total > 0 ? Math.min(1, run.progress.done / run.progress.total) : 0
  const total = Math.max(1, run.tasks.length)
  return {
    total,
    done,
    finished: done / total,
    reached: Math.min(1, (done + (done < total ? within : 0)) / total),
  }
}

/** @param {{ run: Run }} props */
function TaskProgress({ run }) {
  const task = currentTask(run)
  const { total, done, finished, reached } = progressOf(run)
  const position = `Task ${Math.min(done + 1, total)} of ${total}`
  const words = task
    ? `${position} · ${taskName(task)} · ${notebookOfTask(task)}`
    : `${done} of ${total} tasks done`
  return (
    <div className={classes.progress}>
      <div className={classes.facts}>
        <b>{words}</b>
        {run.progress && (
          <span className="dimmed tabular">
            {run.progress.step ? `${run.progress.step} · ` : ''}step {run.progress.done} of{' '}
            {run.progress.total}
          </span>
        )}
      </div>
      <div
        className={classes.bar}
        role="progressbar"
        aria-label="Progress of the run"
        aria-valuemin={0}
        aria-valuemax={100}
        aria-valuenow={Math.round(reached * 100)}
        aria-valuetext={words}
      >
        <span className={classes.finished} style={{ width: `${finished * 100}%` }} />
        <span className={classes.current} style={{ width: `${Math.max(reached - finished, 0.02) * 100}%` }} />
      </div>
    </div>
  )
}
