// @ts-check
/** @import { Command } from './commands.js' */
import { Dialog } from '../../components/Dialog.jsx'
import { Keys } from './Keys.jsx'
import classes from './Commands.module.css'

/** Which keys do what, and the switch that turns single keys off. @param {{ commands: Command[], singleKeys: boolean, onSingleKeys: (on: boolean) => void, onClose: () => void }} props */
export default function ShortcutHelp({ commands, singleKeys, onSingleKeys, onClose }) {
  const keyed = commands.filter((command) => command.keys)
  return (
    <Dialog title="Keyboard shortcuts" onClose={onClose}>
      <dl className={classes.list} data-off={!singleKeys || undefined}>
        <div>
          <dt>Search or run anything</dt>
          <dd>
            <Keys keys="Ctrl K" />
          </dd>
        </div>
        {keyed.map(({ id, name, keys }) => (
          <div key={id}>
            <dt>{name}</dt>
            <dd>{keys && <Keys keys={keys} />}</dd>
          </div>
        ))}
      </dl>
      <label className={classes.choice}>
        <input
          type="checkbox"
          checked={singleKeys}
          onChange={(event) => onSingleKeys(event.currentTarget.checked)}
        />
        Single keys are shortcuts
      </label>
    </Dialog>
  )
}
