// @ts-check
/** @import { Command } from './commands.js' */
import { useEffect, useRef, useState } from 'react'
import { createKeyReader, isForThePage, isPaletteKey } from './commands.js'

/** Runs commands by their keys. @param {{ commands: Command[], singleKeys: boolean, onPalette: () => void }} options */
export function useShortcuts({ commands, singleKeys, onPalette }) {
  const latest = useRef({ commands, singleKeys, onPalette })
  useEffect(() => {
    latest.current = { commands, singleKeys, onPalette }
  })
  const [read] = useState(() => createKeyReader(() => performance.now()))
  useEffect(() => {
    const onKey = (/** @type {KeyboardEvent} */ event) => {
      const current = latest.current
      if (isPaletteKey(event)) {
        event.preventDefault()
        current.onPalette()
        return
      }
      if (!current.singleKeys || !isForThePage(event)) return
      const command = read(event.key, current.commands)
      if (!command) return
      event.preventDefault()
      command.run()
    }
    document.addEventListener('keydown', onKey)
    return () => document.removeEventListener('keydown', onKey)
  }, [read])
}
