// @ts-check
/** @import { Run, Task } from '../../api/types.js' */
import { useState } from 'react'
import { useQuery } from '@tanstack/react-query'
import { Button } from '@mantine/core'
import { count, duration } from '../../lib/format.js'
import { faceOf, isAccepted, isOver, notebookOfTask, taskName } from '../../lib/runStates.js'
import { errorWords, Placeholder } from '../../components/Feedback.jsx'
import { Panel } from '../../components/Page.jsx'
import { StateMark } from '../../components/StateMark.jsx'
import { Elapsed } from '../../components/Times.jsx'
import { taskOutputQuery } from './api.js'
import { TableVersions } from './Records.jsx'
import { CodeBlock } from './RunError.jsx'
import classes from './RunTasks.module.css'

/** The tasks of a run with every attempt, and what their notebooks answered. @param {{ run: Run }} props */
export function RunTasks({ run }) {
  if (!isAccepted(run) || run.tasks.length === 0) return null
  return (
    <Panel title="Tasks">
      <ol className={classes.tasks}>
        {run.tasks.map((task) => (
          <TaskItem key={task.task_key} runId={Number(run.run_id)} task={task} />
        ))}
      </ol>
    </Panel>
  )
}

/** @param {{ runId: number, task: Task }} props */
function TaskItem({ runId, task }) {
  const [shown, setShown] = useState(false)
  const attempts = (task.attempts?.length ?? 0) + 1
  return (
    <li className={classes.task}>
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
            onClick={() => setShown(!shown)}
          >
            Output<span className="hidden-text"> of {taskName(task)}</span>
          </Button>
        )}
      </div>
      {(task.attempts ?? []).map((attempt, index) => (
        <p key={attempt.task_run_id ?? index} className={classes.attempt}>
          Attempt {index + 1} <StateMark face={faceOf(attempt)} small /> {duration(attempt.duration_s)}
        </p>
      ))}
      <TableVersions tables={task.tables} />
      {shown && <Output runId={runId} taskKey={task.task_key} />}
    </li>
  )
}

/** @param {Task} task */
function recordWords({ records }) {
  if (!records) return ''
  return `${count(records.in)} in · ${count(records.out)} out · ${count(records.quarantined)} quarantined`
}

/** @param {string | null} text  JSON of our notebooks is set out to be read */
function readable(text) {
  try {
    return JSON.stringify(JSON.parse(text ?? ''), null, 2)
  } catch {
    return text ?? ''
  }
}

/** @param {{ runId: number, taskKey: string }} props */
function Output({ runId, taskKey }) {
  const { data, error, isPending } = useQuery(taskOutputQuery(runId, taskKey))
  if (isPending) return <Placeholder height={140} label="Loading the output" />
  if (error) return <p role="alert">{errorWords(error)}</p>
  const parts = /** @type {[string, string | null][]} */ ([
    ['Error', data.error],
    ['Trace', data.error_trace],
    ['Result', readable(data.result)],
  ])
  const told = parts.filter(([, text]) => text)
  return (
    <div className="stack">
      {told.map(([name, text]) => (
        <CodeBlock key={name} text={text ?? ''} label={`${name} of ${taskKey}`} />
      ))}
      {told.length === 0 && <p className="dimmed">The notebook answered nothing.</p>}
      {data.truncated && <p className="dimmed">The workspace keeps the first 5 MB only.</p>}
    </div>
  )
}
