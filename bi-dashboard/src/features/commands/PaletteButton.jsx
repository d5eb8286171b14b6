// @ts-check
import { IconSearch } from '@tabler/icons-react'
import { Keys } from './Keys.jsx'
import classes from './Commands.module.css'

/** @param {{ onOpen: () => void }} props */
export const PaletteButton = ({ onOpen }) => (
  <button type="button" className={classes.open} onClick={onOpen} aria-keyshortcuts="Control+K">
    <IconSearch aria-hidden="true" size={16} stroke={1.8} />
    <span className={classes.words}>Search or run…</span>
    <span className={classes.shortcut} aria-hidden="true">
      <Keys keys="Ctrl K" />
    </span>
  </button>
)
