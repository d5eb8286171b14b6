// @ts-check
/** @import { Task } from '../../api/types.js' */

/** A task is told either by its key or with its state. @param {(string | Task)[] | null | undefined} tasks @returns {Task[]} */
export const asTasks = (tasks) =>
  (tasks ?? []).map((task) => (typeof task === 'string' ? { task_key: task } : task))

/** @param {Task} task */
const began = (task) => (task.started_at ? Date.parse(task.started_at) : Infinity)

/** @param {Task} a @param {Task} b */
const inOrder = (a, b) => (a.attempt_number ?? 0) - (b.attempt_number ?? 0) || began(a) - began(b)

/** Every attempt apart. @param {Task[]} tasks @returns {Task[]} */
const flat = (tasks) => tasks.flatMap(({ attempts = [], ...task }) => [...attempts, task])

/** A task of which only the key is known stands for one whose first attempt is still to come. @param {Task} task */
const isPlaceholder = (task) =>
  !task.started_at && !task.state && !task.result && task.task_run_id === undefined

/**
 * One entry per task key, in the order of first mention: the newest attempt, with the earlier ones in `attempts`.
 *
 * @param {Task[]} tasks @returns {Task[]}
 */
export function grouped(tasks) {
  const keys = [...new Set(tasks.map((task) => task.task_key))]
  return keys.map((key) => {
    const own = tasks.filter((task) => task.task_key === key)
    const real = own.filter((task) => !isPlaceholder(task)).sort(inOrder)
    const latest = real.at(-1) ?? own[0] ?? { task_key: key }
    return real.length > 1 ? { ...latest, attempts: real.slice(0, -1) } : latest
  })
}

/** Tasks that are not told stay as they were; an attempt that is told again replaces what was known of it. @param {Task[]} known @param {Task[]} told */
export function mergedTasks(known, told) {
  /** @param {Task} task */
  const identity = (task) => `${task.task_key}#${task.task_run_id ?? ''}`
  /** @type {Map<string, Task>} */
  const attempts = new Map()
  for (const task of [...flat(known), ...flat(told)])
    attempts.set(identity(task), { ...attempts.get(identity(task)), ...task })
  return grouped([...attempts.values()])
}

/** Before a repair's attempt is seen: what will run again waits, its past attempts stay visible. @param {Task[]} tasks @param {Set<string>} again */
export const waitingAgain = (tasks, again) =>
  tasks.map((task) =>
    again.has(task.task_key) && task.result !== 'SUCCESS'
      ? {
          task_key: task.task_key,
          notebook_path: task.notebook_path,
          attempts: flat([task]).filter((one) => !isPlaceholder(one)),
        }
      : task,
  )
