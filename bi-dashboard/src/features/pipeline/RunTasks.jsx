// @ts-check
/** @import { Run, Task } from '../../api/types.js' */
import { useEffect, useRef } from 'react'
import { useSearchParams } from 'react-router'
import { Button } from '@mantine/core'
import { count, duration } from '../../lib/format.js'
import { faceOf, isAccepted, isOver, notebookOfTask, taskName } from '../../lib/runStates.js'
import { Panel } from '../../components/Page.jsx'
import { StateMark } from '../../components/StateMark.jsx'
import { Elapsed } from '../../components/Times.jsx'
import { TableVersions } from './Records.jsx'
import { TaskOutput } from './TaskOutput.jsx'
import classes from './RunTasks.module.css'

/** The task whose output is open stands in the address (`?task=`), so that it can be passed on. */
function useOpenTask() {
  const [search, setSearch] = useSearchParams()
  const toggle = (/** @type {string} */ key) =>
    setSearch(
      (current) => {
        const next = new URLSearchParams(current)
        if (next.get('task') === key) next.delete('task')
        else next.set('task', key)
        return next
      },
      { replace: true, preventScrollReset: true },
    )
  return { open: search.get('task'), toggle }
}

/** The tasks of a run with every attempt, and what their notebooks answered. @param {{ run: Run }} props */
export function RunTasks({ run }) {
  const { open, toggle } = useOpenTask()
  if (!isAccepted(run) || run.tasks.length === 0) return null
  return (
    <Panel title="Tasks">
      <ol className={classes.tasks}>
        {run.tasks.map((task) => (
          <TaskItem
            key={task.task_key}
            runId={Number(run.run_id)}
            task={task}
            shown={open === task.task_key}
            onToggle={() => toggle(task.task_key)}
          />
        ))}
      </ol>
    </Panel>
  )
}

/** Brings what the address names into view, once. @param {boolean} wanted */
function useBroughtIntoView(wanted) {
  const ref = useRef(/** @type {HTMLLIElement | null} */ (null))
  const first = useRef(wanted)
  useEffect(() => {
    if (first.current) ref.current?.scrollIntoView?.({ block: 'start' })
    first.current = false
  }, [])
  return ref
}

/** @param {{ runId: number, task: Task, shown: boolean, onToggle: () => void }} props */
function TaskItem({ runId, task, shown, onToggle }) {
  const ref = useBroughtIntoView(shown)
  const attempts = (task.attempts?.length ?? 0) + 1
  return (
    <li ref={ref} className={classes.task}>
      <div className={classes.head}>
        <div className={classes.name}>
          <b>{taskName(task)}</b>
          <span className="dimmed">
            {notebookOfTask(task)}
            {attempts > 1 && ` · attempt ${attempts}`}
          </span>
        </div>
        <StateMark face={faceOf(task)} small />
        <span className={`${classes.figures} tabular`}>
          {isOver(task) ? duration(task.duration_s) : <Elapsed from={task.started_at} />}
        </span>
        <span className={`${classes.records} tabular`}>{recordWords(task)}</span>
        {task.started_at && (
          <Button
            variant="default"
            size="compact-md"
            aria-expanded={shown}
            disabled={!isOver(task)}
            onClick={onToggle}
          >
            {shown ? 'Hide the output' : 'Output'}
            <span className="hidden-text"> of {taskName(task)}</span>
          </Button>
        )}
      </div>
      {task.attempts && <EarlierAttempts attempts={task.attempts} />}
      {shown && isOver(task) && <TaskOutput runId={runId} taskKey={task.task_key} />}
      <TableVersions tables={task.tables} />
    </li>
  )
}

/** @param {Task} task */
const faultWords = ({ error }) => (typeof error === 'string' ? error : (error?.message ?? ''))

/** @param {{ attempts: Task[] }} props */
const EarlierAttempts = ({ attempts }) =>
  attempts.map((attempt, index) => (
    <p key={attempt.task_run_id ?? index} className={classes.attempt}>
      Attempt {index + 1} <StateMark face={faceOf(attempt)} small />{' '}
      <span className="tabular">{duration(attempt.duration_s)}</span>
      <span className={classes.fault}>{faultWords(attempt)}</span>
    </p>
  ))

/** @param {Task} task */
function recordWords({ records }) {
  if (!records) return ''
  return `${count(records.in)} in · ${count(records.out)} out · ${count(records.quarantined)} quarantined`
}
