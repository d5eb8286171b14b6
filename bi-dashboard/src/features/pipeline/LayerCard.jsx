// @ts-check
/** @import { Layer, LayerStatus, Run } from '../../api/types.js' */
/** @import { Face } from '../../lib/runStates.js' */
import { Button, Tooltip } from '@mantine/core'
import { IconDatabase, IconFilter, IconPlayerPlay, IconStar } from '@tabler/icons-react'
import { count, plural } from '../../lib/format.js'
import { faceOf, isActive, isOver, LAYER_NAMES, layerOfTask } from '../../lib/runStates.js'
import { Figure, Figures } from '../../components/Page.jsx'
import { StateMark } from '../../components/StateMark.jsx'
import { When } from '../../components/Times.jsx'
import { shortTable } from './Records.jsx'
import { useRuns } from './useRunStream.jsx'
import { useTrigger } from './useRunActions.jsx'
import classes from './LayerCard.module.css'

const ABOUT = /** @type {const} */ ({
  bronze: { Icon: IconDatabase, words: 'Raw files, as they landed' },
  silver: { Icon: IconFilter, words: 'Clean, typed, deduplicated' },
  gold: { Icon: IconStar, words: 'Figures ready for decisions' },
})

/** @param {LayerStatus | undefined} status */
export const pendingOf = (status) =>
  typeof status?.pending === 'number' ? status.pending : (status?.pending?.count ?? null)

/** @param {LayerStatus | undefined} status */
const rowsOf = (status) => {
  const known = (status?.tables ?? []).filter((table) => typeof table.rows === 'number')
  return known.length > 0 ? known.reduce((sum, table) => sum + Number(table.rows), 0) : null
}

/** A card says what is executing on its layer, else what waits to, else how the newest run on it ended. @param {Layer} layer @param {Run[]} runs @param {LayerStatus | undefined} status @returns {Face} */
export function layerFace(layer, runs, status) {
  const involved = runs.flatMap((run) =>
    run.tasks.filter((task) => layerOfTask(task) === layer).map((task) => ({ run, task })),
  )
  const underway = involved.filter(({ run, task }) => isActive(run) && !isOver(task))
  const chosen =
    underway.find(({ task }) => task.state === 'RUNNING') ??
    underway.at(-1) ??
    involved.find(({ task }) => task.result !== 'EXCLUDED')
  if (chosen && (isActive(chosen.run) || chosen.task.state || chosen.task.result)) return faceOf(chosen.task)
  if (status?.result || status?.state) return faceOf(status)
  if (status?.updated_at) return { kind: 'success', word: 'Filled' }
  return { kind: 'waiting', word: 'Empty' }
}

/** A medallion layer: what it holds, how old that is, what waits for it, and the click that runs it. @param {{ layer: Layer, status: LayerStatus | undefined, claimIds: string[], reason: string }} props */
export function LayerCard({ layer, status, claimIds, reason }) {
  const { all } = useRuns()
  const { trigger, sending } = useTrigger()
  const { Icon, words } = ABOUT[layer]
  const pending = pendingOf(status)
  const options = { ...(claimIds.length > 0 ? { claim_ids: claimIds } : {}), ...(reason ? { reason } : {}) }
  return (
    <section className={classes.card} data-layer={layer} aria-label={`${LAYER_NAMES[layer]} layer`}>
      <div className={classes.head}>
        <span className={classes.icon} aria-hidden="true">
          <Icon size={20} stroke={1.7} />
        </span>
        <div>
          <h2>{LAYER_NAMES[layer]}</h2>
          <p>{words}</p>
        </div>
        <StateMark face={layerFace(layer, all, status)} />
      </div>
      <Figures>
        <Figure name="Rows">{count(rowsOf(status))}</Figure>
        <Figure name="Tables">
          <Tooltip
            label={
              (status?.tables ?? [])
                .map((table) => `${shortTable(table.name)}: ${count(table.rows)}`)
                .join(' · ') || 'No tables yet'
            }
            multiline
            maw={320}
          >
            <span>{status?.tables ? count(status.tables.length) : '–'}</span>
          </Tooltip>
        </Figure>
        <Figure name="Pending claims">{status && pending === null ? 'unknown' : count(pending)}</Figure>
      </Figures>
      <div className={classes.foot}>
        <p className={classes.fresh}>
          {status?.updated_at ? (
            <>
              Updated <When at={status.updated_at} absolute />
            </>
          ) : (
            'Nothing here yet'
          )}
        </p>
        <Button
          variant="default"
          leftSection={<IconPlayerPlay aria-hidden="true" size={16} stroke={1.8} />}
          loading={sending?.layer === layer && !sending.process}
          onClick={() => trigger({ layer }, options)}
          title={
            claimIds.length > 0 ? `For ${plural(claimIds.length, 'chosen claim')}` : 'For everything pending'
          }
        >
          Run {LAYER_NAMES[layer]}
        </Button>
      </div>
    </section>
  )
}
