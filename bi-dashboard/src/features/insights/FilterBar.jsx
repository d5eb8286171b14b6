// @ts-check
/** @import { FigurePage, Filter } from './figurePage.js' */
import { Button, NativeSelect } from '@mantine/core'
import classes from './FilterBar.module.css'

/** @param {Filter} filter @param {string[]} values @param {string} chosen */
function choices({ every, words = (value) => value }, values, chosen) {
  const all = chosen && !values.includes(chosen) ? [...values, chosen] : values
  return [{ value: '', label: every }, ...all.map((value) => ({ value, label: words(value) }))]
}

/**
 * @param {{ page: FigurePage, options: Record<string, string[]>, asked: Record<string, string>, filtered: boolean,
 *   onChoose: (name: string, value: string) => void, onClear: () => void }} props
 */
export function FilterBar({ page, options, asked, filtered, onChoose, onClear }) {
  return (
    <div className={classes.bar} role="group" aria-label="Filters">
      {page.filters.map((filter, index) => (
        <NativeSelect
          key={filter.name}
          label={filter.label}
          size="xs"
          data-filter={index === 0 || undefined}
          className={asked[filter.name] ? `${classes.filter} ${classes.chosen}` : classes.filter}
          data={choices(filter, options[filter.option ?? filter.name] ?? [], asked[filter.name] ?? '')}
          value={asked[filter.name] ?? ''}
          onChange={(event) => onChoose(filter.name, event.currentTarget.value)}
        />
      ))}
      {filtered && (
        <Button variant="default" size="xs" onClick={onClear}>
          Clear the filters
        </Button>
      )}
    </div>
  )
}
