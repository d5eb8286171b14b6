// @ts-check
/**
 * Something a user can do from anywhere. `keys` is one key, or two after another ("g p").
 * A command without `group` is reached by its keys only.
 *
 * @typedef {{ id: string, name: string, group?: string, hint?: string, keys?: string, keywords?: string[],
 *   run: () => void }} Command
 */

const PAUSE_MS = 1500

/**
 * Reads keys one by one and says which command they mean. The second key of a pair must follow soon.
 *
 * @param {() => number} now  milliseconds
 */
export function createKeyReader(now) {
  let first = ''
  let at = -Infinity
  /** @param {string} key @param {Command[]} commands @returns {Command | null} */
  return (key, commands) => {
    const pair = now() - at <= PAUSE_MS ? `${first} ${key}` : ''
    const found = commands.find(({ keys }) => keys === pair) ?? commands.find(({ keys }) => keys === key)
    first = found ? '' : key
    at = now()
    return found ?? null
  }
}

const EDITABLE = 'input, textarea, select, [contenteditable]:not([contenteditable="false"])'

/** Keys that are typed into a field, or that a dialog listens to, are no commands. @param {KeyboardEvent} event */
export function isForThePage(event) {
  if (event.defaultPrevented || event.ctrlKey || event.metaKey || event.altKey) return false
  if (event.target instanceof Element && event.target.closest(EDITABLE)) return false
  return document.querySelector('[role="dialog"]') === null
}

/** @param {KeyboardEvent} event */
export const isPaletteKey = (event) =>
  (event.ctrlKey || event.metaKey) && !event.altKey && !event.shiftKey && event.key.toLowerCase() === 'k'
