// @ts-check
import { useQuery } from '@tanstack/react-query'
import { CopyButton } from '../../components/CopyButton.jsx'
import { errorWords, Placeholder } from '../../components/Feedback.jsx'
import { taskOutputQuery } from './api.js'
import { CodeBlock, plainText } from './RunError.jsx'
import classes from './RunTasks.module.css'

/** JSON is set out to be read; anything else stays as it is. @param {string | null} text */
export function readable(text) {
  try {
    return JSON.stringify(JSON.parse(text ?? ''), null, 2)
  } catch {
    return text ?? ''
  }
}

/** What the notebook of a task answered: its error with the trace, or its result. @param {{ runId: number, taskKey: string }} props */
export function TaskOutput({ runId, taskKey }) {
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
        <Part key={name} name={name} text={text ?? ''} taskKey={taskKey} />
      ))}
      {told.length === 0 && <p className="dimmed">The notebook answered nothing.</p>}
      {data.truncated && <p className="dimmed">The workspace keeps the first 5 MB only.</p>}
    </div>
  )
}

/** @param {{ name: string, text: string, taskKey: string }} props */
const Part = ({ name, text, taskKey }) => (
  <section aria-label={`${name} of ${taskKey}`}>
    <div className={classes.part}>
      <h3>{name}</h3>
      <CopyButton text={plainText(text)} compact />
    </div>
    <CodeBlock text={text} label={`Text of the ${name.toLowerCase()} of ${taskKey}`} />
  </section>
)
