// @ts-check
/** @import { Run, RunAction } from '../api/types.js' */
/** @import { Command } from '../features/commands/commands.js' */
import { useNavigate } from 'react-router'
import { useComputedColorScheme, useMantineColorScheme } from '@mantine/core'
import { useRuns } from '../features/pipeline/useRunStream.jsx'
import { useTrigger } from '../features/pipeline/useRunActions.jsx'
import { isAccepted, LAYER_NAMES, LAYERS, routeOf, runFace, runKey } from '../lib/runStates.js'

const PAGES = [
  { name: 'Overview', path: '/overview', keys: 'g o', keywords: ['figures', 'loss ratio', 'kpi'] },
  { name: 'Pipeline', path: '/pipeline', keys: 'g p', keywords: ['layers'] },
  { name: 'Runs', path: '/runs', keys: 'g r', keywords: ['history'] },
  { name: 'Claims', path: '/claims', keys: 'g c', keywords: ['where is a claim', 'land'] },
  { name: 'Claim figures', path: '/insights/claims', keys: 'g f', keywords: ['diagnosis', 'paid', 'denied'] },
  { name: 'Customers', path: '/insights/customers', keys: 'g u', keywords: ['churn', 'offer', 'value'] },
  { name: 'Providers', path: '/insights/providers', keys: 'g v', keywords: ['vets', 'practices', 'network'] },
  { name: 'Risk', path: '/insights/risk', keys: 'g k', keywords: ['breed', 'relativity'] },
]

/** @type {{ id: string, name: string, action: RunAction }[]} */
const CLICKS = [
  {
    id: 'bronze-to-silver',
    name: 'Process Bronze → Silver',
    action: { layer: 'silver', process: 'bronze-to-silver' },
  },
  {
    id: 'silver-to-gold',
    name: 'Process Silver → Gold',
    action: { layer: 'gold', process: 'silver-to-gold' },
  },
  { id: 'all', name: 'Run all layers', action: { layer: 'all' } },
  ...LAYERS.map((layer) => ({ id: layer, name: `Run ${LAYER_NAMES[layer]}`, action: { layer } })),
]

const RECENT = 6

/** Puts the focus on the filter or search of the page, if it has one. */
function focusFilter() {
  const field = document.querySelector('main [data-filter]')
  if (field instanceof HTMLElement) field.focus()
}

/** @param {(path: string) => void} go @returns {Command[]} */
const pageCommands = (go) =>
  PAGES.map(({ name, path, keys, keywords }) => ({
    id: `page-${path}`,
    group: 'Pages',
    name: `Go to ${name}`,
    keys,
    keywords,
    run: () => go(path),
  }))

/** What can be done with the run that matters now. @param {{ active: Run[], latest: Run | null, onCancel: (run: Run) => void, onRetry: (run: Run) => void }} options @returns {Command[]} */
function runCommands({ active, latest, onCancel, onRetry }) {
  const running = active.find(isAccepted)
  const failed = active.length === 0 && latest && runFace(latest).kind === 'failed' ? latest : null
  const cancel = {
    id: 'cancel',
    ...(running ? { group: 'Run', hint: `Run ${running.run_id}, ${routeOf(running)}` } : {}),
    name: 'Cancel the active run',
    keys: 'x',
    run: () => running && onCancel(running),
  }
  const retry = {
    id: 'retry',
    ...(failed ? { group: 'Run', hint: `${routeOf(failed)}: what is finished is reused` } : {}),
    name: 'Retry the failed run',
    keys: '.',
    run: () => failed && onRetry(failed),
  }
  return [cancel, retry]
}

/**
 * Everything that can be done from anywhere.
 * @param {{ onHelp: () => void, onRun: () => void, onCancel: (run: Run) => void, onRetry: (run: Run) => void }} options
 * @returns {Command[]}
 */
export function useCommands({ onHelp, onRun, onCancel, onRetry }) {
  const navigate = useNavigate()
  const go = (/** @type {string} */ path) => void navigate(path)
  const { trigger } = useTrigger()
  const { all, active, latest } = useRuns()
  const { setColorScheme } = useMantineColorScheme()
  const other = useComputedColorScheme('light') === 'dark' ? 'light' : 'dark'
  const clicks = CLICKS.map(({ id, name, action }) => ({
    id: `run-${id}`,
    group: 'Run',
    name,
    hint: 'For everything pending',
    keywords: ['run', 'start', 'trigger'],
    run: () => {
      trigger(action)
      go('/pipeline')
    },
  }))
  const recent = all
    .filter(isAccepted)
    .slice(0, RECENT)
    .map((run) => ({
      id: runKey(run),
      group: 'Recent runs',
      name: `Open run ${run.run_id}`,
      hint: `${routeOf(run)}, ${runFace(run).word.toLowerCase()}`,
      run: () => go(`/runs/${run.run_id}`),
    }))
  return [
    ...clicks,
    ...runCommands({ active, latest, onCancel, onRetry }),
    { id: 'run', name: 'Choose what to run', keys: 'r', run: onRun },
    ...pageCommands(go),
    ...recent,
    { id: 'filter', name: 'Go to the filter of the page', keys: '/', run: focusFilter },
    { id: 'theme', group: 'More', name: `Use the ${other} theme`, run: () => setColorScheme(other) },
    { id: 'help', group: 'More', name: 'Keyboard shortcuts', keys: '?', run: onHelp },
    {
      id: 'api',
      group: 'More',
      name: 'API reference',
      hint: 'Opens in a new tab',
      run: () => void window.open('/api/docs', '_blank', 'noopener'),
    },
  ]
}
