// @ts-check
import { NativeSelect } from '@mantine/core'
import { RESULT_FILTERS } from './history.js'

const LAYER_FILTERS = [
  { value: '', label: 'Every layer' },
  { value: 'bronze', label: 'Bronze' },
  { value: 'silver', label: 'Silver' },
  { value: 'gold', label: 'Gold' },
  { value: 'all', label: 'All layers in one run' },
]

/** @typedef {{ layer: string | null, state: string | null }} Filter */

/** @param {{ filter: Filter, onChoose: (name: keyof Filter, value: string) => void }} props */
export function HistoryFilter({ filter, onChoose }) {
  return (
    <>
      <NativeSelect
        aria-label="Layer"
        data-filter
        data={LAYER_FILTERS}
        value={filter.layer ?? ''}
        onChange={(event) => onChoose('layer', event.currentTarget.value)}
      />
      <NativeSelect
        aria-label="State"
        data={RESULT_FILTERS}
        value={filter.state ?? ''}
        onChange={(event) => onChoose('state', event.currentTarget.value)}
      />
    </>
  )
}
