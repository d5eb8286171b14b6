// @ts-check
/** @import { Command } from './commands.js' */
import { useEffect, useState } from 'react'
import { createSpotlight, Spotlight } from '@mantine/spotlight'
import '@mantine/spotlight/styles.css'
import { IconSearch } from '@tabler/icons-react'
import { Keys } from './Keys.jsx'
import classes from './Commands.module.css'

const [store, palette] = createSpotlight()

/** @param {Command[]} commands */
function grouped(commands) {
  const groups = [...new Set(commands.map((command) => command.group).filter((group) => group !== undefined))]
  return groups.map((group) => ({
    group,
    actions: commands
      .filter((command) => command.group === group)
      .map(({ id, name, hint, keys, keywords, run }) => ({
        id,
        label: name,
        description: hint,
        keywords,
        rightSection: keys ? <Keys keys={keys} /> : null,
        onClick: run,
      })),
  }))
}

/** Every command, found by typing. It is open for as long as it is drawn. @param {{ commands: Command[], typed: string, onClose: () => void }} props */
export default function Palette({ commands, typed, onClose }) {
  const [query, setQuery] = useState(typed)
  useEffect(() => {
    palette.open()
    return () => palette.close()
  }, [])
  return (
    <Spotlight
      store={store}
      shortcut={null}
      actions={grouped(commands)}
      query={query}
      onQueryChange={setQuery}
      clearQueryOnClose={false}
      onSpotlightClose={onClose}
      nothingFound="Nothing is called like that"
      scrollable
      maxHeight={420}
      radius="md"
      attributes={{ content: { 'aria-label': 'Search or run' } }}
      overlayProps={{ backgroundOpacity: 0.45, blur: 2 }}
      classNames={{ action: classes.action, actionDescription: classes.hint }}
      searchProps={{
        leftSection: <IconSearch aria-hidden="true" size={18} stroke={1.8} />,
        placeholder: 'Search or run…',
        'aria-label': 'Search or run',
      }}
    />
  )
}
