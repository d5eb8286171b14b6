// @ts-check
/** @import { Run, Task } from '../../api/types.js' */
import { useState } from 'react'
import { Link } from 'react-router'
import { useQuery } from '@tanstack/react-query'
import { Button } from '@mantine/core'
import { IconAlertTriangle, IconRefresh } from '@tabler/icons-react'
import { isAccepted, isOver, notebookOfTask, succeeded, taskName } from '../../lib/runStates.js'
import { CopyButton } from '../../components/CopyButton.jsx'
import { errorWords, Placeholder } from '../../components/Feedback.jsx'
import { taskOutputQuery } from './api.js'
import { useRetry } from './useRunActions.jsx'
import classes from './RunError.module.css'

/** @param {Run} run */
const failedTask = (run) =>
  run.tasks.find((task) => task.task_key === run.error?.task) ??
  run.tasks.find((task) => isOver(task) && !succeeded(task)) ??
  null

/** @param {Run} run */
function allWords(run) {
  const { error } = run
  const parts = [
    `Run ${run.run_id ?? run.submission_id}`,
    error?.task,
    error?.message,
    error?.advice,
    error?.trace_excerpt,
  ]
  return parts.filter(Boolean).join('\n')
}

/** @param {{ run: Run, task: Task }} props */
function TaskLink({ run, task }) {
  const words = `${taskName(task)} · ${notebookOfTask(task)}`
  if (!isAccepted(run)) return words
  return <Link to={`/runs/${run.run_id}?task=${encodeURIComponent(task.task_key)}`}>{words}</Link>
}

/** Why a run failed, in words, and what to do about it. @param {{ run: Run }} props */
export function RunError({ run }) {
  const [shown, setShown] = useState(false)
  const task = failedTask(run)
  const reused = run.tasks.filter(succeeded).length
  return (
    <div className={classes.error} role="alert">
      <IconAlertTriangle className={classes.icon} aria-hidden="true" size={22} stroke={1.8} />
      <div className={classes.words}>
        {task && (
          <p className={classes.where}>
            <TaskLink run={run} task={task} />
          </p>
        )}
        <p className={classes.message}>{run.error?.message ?? 'The workspace gave no reason.'}</p>
        {run.error?.advice && <p className={classes.advice}>{run.error.advice}</p>}
        {reused > 0 && isAccepted(run) && (
          <p className={classes.advice}>
            {reused === 1 ? 'One finished task is' : `${reused} finished tasks are`} reused on retry.
          </p>
        )}
      </div>
      <div className={classes.actions}>
        <RetryButton run={run} />
        {isAccepted(run) && task && (
          <Button variant="default" aria-expanded={shown} onClick={() => setShown(!shown)}>
            {shown ? 'Hide the trace' : 'Show the trace'}
          </Button>
        )}
        <CopyButton text={allWords(run)} />
      </div>
      {shown && task && (
        <Trace runId={Number(run.run_id)} taskKey={task.task_key} excerpt={run.error?.trace_excerpt} />
      )}
    </div>
  )
}

/** @param {{ run: Run }} props */
export function RetryButton({ run }) {
  const { retry, busy, error } = useRetry()
  return (
    <>
      <Button
        onClick={() => retry(run)}
        loading={busy}
        leftSection={<IconRefresh aria-hidden="true" size={17} />}
      >
        Retry
      </Button>
      {error && <span role="alert">{errorWords(error)}</span>}
    </>
  )
}

/** @param {{ runId: number, taskKey: string, excerpt?: string | null }} props */
function Trace({ runId, taskKey, excerpt }) {
  const { data, error, isPending } = useQuery(taskOutputQuery(runId, taskKey))
  if (isPending) return <Placeholder height={160} label="Loading the trace" />
  const text =
    data?.error_trace ||
    data?.error ||
    excerpt ||
    (error ? errorWords(error) : 'The workspace kept no trace.')
  return <CodeBlock text={text} label={`Trace of ${taskKey}`} />
}

/** Terminal colours are noise here. @param {string} text */
// eslint-disable-next-line no-control-regex
export const plainText = (text) => text.replace(/\u001b\[[0-9;]*m/g, '')

/** Text of a notebook: it may be wide, so it scrolls inside its frame, by keyboard too. @param {{ text: string, label: string }} props */
export function CodeBlock({ text, label }) {
  return (
    // eslint-disable-next-line jsx-a11y/no-noninteractive-tabindex
    <pre className={classes.code} tabIndex={0} role="region" aria-label={label}>
      {plainText(text)}
    </pre>
  )
}
