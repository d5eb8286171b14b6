// @ts-check
/** @import { RunAction } from '../../api/types.js' */
/** @import { ClaimChoice } from './useClaimChoice.js' */
import { useState } from 'react'
import { Button } from '@mantine/core'
import { IconPlayerPlay, IconPlayerTrackNext, IconAdjustmentsHorizontal } from '@tabler/icons-react'
import { plural } from '../../lib/format.js'
import { Panel } from '../../components/Page.jsx'
import { ClaimPicker } from './ClaimPicker.jsx'
import { Preview } from './Preview.jsx'
import { RefusedClick } from './RefusedClick.jsx'
import { useTrigger } from './useRunActions.jsx'
import classes from './TriggerBar.module.css'

/** @param {{ from: string, to: string }} props */
const Route = ({ from, to }) => (
  <span>
    Process {from} <span aria-hidden="true">→</span>
    <span className="hidden-text"> to </span> {to}
  </span>
)

/** @type {{ key: string, action: RunAction, name: import('react').ReactNode, Icon: typeof IconPlayerPlay, primary?: boolean }[]} */
const ACTIONS = [
  {
    key: 'bronze-to-silver',
    action: { layer: 'silver', process: 'bronze-to-silver' },
    name: <Route from="Bronze" to="Silver" />,
    Icon: IconPlayerPlay,
    primary: true,
  },
  {
    key: 'silver-to-gold',
    action: { layer: 'gold', process: 'silver-to-gold' },
    name: <Route from="Silver" to="Gold" />,
    Icon: IconPlayerPlay,
    primary: true,
  },
  { key: 'all', action: { layer: 'all' }, name: 'Run all', Icon: IconPlayerTrackNext },
]

/** One click runs; under each button stands beforehand what that click would do. @param {{ choice: ClaimChoice }} props */
export function TriggerBar({ choice }) {
  const [opened, setOpened] = useState(choice.claimIds.length > 0)
  const { trigger, sending } = useTrigger()
  const { claimIds, reason } = choice
  const options = { ...(claimIds.length > 0 ? { claim_ids: claimIds } : {}), ...(reason ? { reason } : {}) }
  return (
    <Panel label="Process claims">
      <div className={classes.bar}>
        {ACTIONS.map(({ key, action, name, Icon, primary }) => (
          <div key={key} className={classes.action}>
            <Button
              size="md"
              fullWidth
              variant={primary ? 'filled' : 'default'}
              leftSection={<Icon aria-hidden="true" size={18} stroke={1.8} />}
              loading={sending?.layer === action.layer && sending.process === action.process}
              onClick={() => trigger(action, options)}
            >
              {name}
            </Button>
            <Preview action={action} claimIds={claimIds} />
          </div>
        ))}
        <Button
          size="md"
          variant="subtle"
          className={classes.choose}
          aria-expanded={opened}
          leftSection={<IconAdjustmentsHorizontal aria-hidden="true" size={18} stroke={1.8} />}
          onClick={() => setOpened(!opened)}
        >
          {claimIds.length > 0 ? `${plural(claimIds.length, 'claim')} chosen` : 'Choose claims'}
        </Button>
      </div>
      <RefusedClick />
      {opened && (
        <div className={classes.more}>
          <ClaimPicker choice={choice} />
        </div>
      )}
    </Panel>
  )
}
