// @ts-check
/** @import { Run } from '../api/types.js' */
import { lazy, Suspense, useEffect, useRef, useState } from 'react'
import { notifications } from '@mantine/notifications'
import { errorWords } from '../components/Feedback.jsx'
import { PaletteButton } from '../features/commands/PaletteButton.jsx'
import { useSingleKeys } from '../features/commands/singleKeys.js'
import { useShortcuts } from '../features/commands/useShortcuts.js'
import { useRetry } from '../features/pipeline/useRunActions.jsx'
import { useCommands } from './useCommands.js'

const Palette = lazy(() => import('../features/commands/Palette.jsx'))
const ShortcutHelp = lazy(() => import('../features/commands/ShortcutHelp.jsx'))
const CancelDialog = lazy(() => import('../features/pipeline/CancelDialog.jsx'))

/** @typedef {{ what: 'palette', typed: string } | { what: 'help' } | { what: 'cancel', run: Run }} Open */

/** One dialog at a time; when it closes, the focus goes back to where it was. */
function useDialog() {
  const [open, setOpen] = useState(/** @type {Open | null} */ (null))
  const before = useRef(/** @type {Element | null} */ (null))
  useEffect(() => {
    const back = before.current
    if (open === null && back instanceof HTMLElement && back.isConnected) back.focus()
  }, [open])
  const show = (/** @type {Open} */ wanted) => {
    if (!open) before.current = document.activeElement
    setOpen(wanted)
  }
  /** A dialog that made way for another one does not close that. @param {Open['what']} what */
  const close = (what) => setOpen((current) => (current?.what === what ? null : current))
  return { open, show, close }
}

/** The command palette, the shortcuts and their help, for every page. Draws the button that opens the palette. */
export function Commands() {
  const { open, show, close } = useDialog()
  const [singleKeys, setSingleKeys] = useSingleKeys()
  const { retry } = useRetry((error) => notifications.show({ color: 'red', message: errorWords(error) }))
  const commands = useCommands({
    onHelp: () => show({ what: 'help' }),
    onRun: () => show({ what: 'palette', typed: 'run' }),
    onCancel: (run) => show({ what: 'cancel', run }),
    onRetry: retry,
  })
  const toggle = () => (open?.what === 'palette' ? close('palette') : show({ what: 'palette', typed: '' }))
  useShortcuts({ commands, singleKeys, onPalette: toggle })
  return (
    <>
      <PaletteButton onOpen={toggle} />
      <Suspense>
        {open?.what === 'palette' && (
          <Palette commands={commands} typed={open.typed} onClose={() => close('palette')} />
        )}
        {open?.what === 'help' && (
          <ShortcutHelp
            commands={commands}
            singleKeys={singleKeys}
            onSingleKeys={setSingleKeys}
            onClose={() => close('help')}
          />
        )}
        {open?.what === 'cancel' && <CancelDialog run={open.run} onClose={() => close('cancel')} />}
      </Suspense>
    </>
  )
}
