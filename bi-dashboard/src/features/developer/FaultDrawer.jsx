// @ts-check
/** @import { FaultPreset, FaultReport, FaultRule, SetFault } from '../../api/types.js' */
import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query'
import { Button, CloseButton, Drawer } from '@mantine/core'
import { EmptyState, ErrorState, errorWords, Placeholder } from '../../components/Feedback.jsx'
import { plural } from '../../lib/format.js'
import { faultsQuery, switchOff, switchOn } from './api.js'
import classes from './Developer.module.css'

const TITLE = 'Things that go wrong on purpose'

/** The fault switchboard of the local workspace: what is on, how often it has struck, and what may be switched on. @param {{ onClose: () => void }} props */
export default function FaultDrawer({ onClose }) {
  const faults = useQuery(faultsQuery)
  return (
    <Drawer
      opened
      onClose={onClose}
      position="right"
      size={460}
      padding="lg"
      withCloseButton={false}
      attributes={{ content: { 'aria-label': TITLE } }}
    >
      <div className={classes.head}>
        <h2 className={classes.title}>{TITLE}</h2>
        <CloseButton aria-label="Close" onClick={onClose} />
      </div>
      <p className={classes.lead}>
        For demonstrations and training. What callers of the local workspace see goes wrong; what it really
        did does not.
      </p>
      {faults.isPending && <Placeholder height={240} label="Reading the faults" />}
      {faults.isError && (
        <ErrorState
          title="The faults could not be read."
          error={faults.error}
          onRetry={() => void faults.refetch()}
        />
      )}
      {faults.isSuccess && <Switchboard report={faults.data} />}
    </Drawer>
  )
}

/** @param {{ report: FaultReport }} props */
function Switchboard({ report }) {
  const queries = useQueryClient()
  const keep = (/** @type {FaultReport} */ told) => queries.setQueryData(faultsQuery.queryKey, told)
  const on = useMutation({ mutationFn: switchOn, onSuccess: keep })
  const off = useMutation({ mutationFn: switchOff, onSuccess: keep })
  const fault = on.error ?? off.error
  return (
    <>
      {fault && (
        <p role="alert" className={classes.refused}>
          {errorWords(fault)}
        </p>
      )}
      <section aria-label="Switched on">
        <div className={classes.head}>
          <h3 className={classes.part}>Switched on</h3>
          {report.rules.length > 0 && (
            <Button variant="default" size="xs" onClick={() => off.mutate(undefined)}>
              Switch all off
            </Button>
          )}
        </div>
        {report.rules.length === 0 && <EmptyState title="Nothing goes wrong on purpose." />}
        <ul className={classes.rules}>
          {report.rules.map((rule) => (
            <Rule key={rule.id} rule={rule} onOff={() => off.mutate(rule.id)} />
          ))}
        </ul>
      </section>
      <section aria-label="Presets">
        <h3 className={classes.part}>Presets</h3>
        <ul className={classes.rules}>
          {report.presets.map((preset) => (
            <Preset
              key={preset.name}
              preset={preset}
              busy={on.isPending && on.variables === preset.rule}
              onOn={() => on.mutate(preset.rule)}
            />
          ))}
        </ul>
      </section>
    </>
  )
}

/** @param {FaultRule} rule */
const nameOf = (rule) => rule.kind.replaceAll('_', ' ')

/** @param {FaultRule} rule */
function limits(rule) {
  const often = rule.count == null ? 'any number of times' : plural(rule.count, 'time')
  const long = rule.for_s == null ? '' : `, for ${rule.for_s} s`
  const chance =
    rule.probability === undefined || rule.probability === 1 ? '' : `, ${rule.probability * 100} % of calls`
  return `${rule.call ?? 'any'}: ${often}${long}${chance}`
}

/** @param {{ rule: SetFault, onOff: () => void }} props */
function Rule({ rule, onOff }) {
  return (
    <li className={classes.rule} data-active={rule.active || undefined}>
      <div>
        <p className={classes.name}>{nameOf(rule)}</p>
        <p className={classes.text}>{limits(rule)}</p>
        <p className={classes.text}>
          {rule.active ? 'On' : 'Over'}, has struck {plural(rule.hits, 'time')}
        </p>
      </div>
      <CloseButton aria-label={`Switch off ${nameOf(rule)}`} onClick={onOff} />
    </li>
  )
}

/** @param {{ preset: FaultPreset, busy: boolean, onOn: () => void }} props */
function Preset({ preset, busy, onOn }) {
  return (
    <li className={classes.rule}>
      <div>
        <p className={classes.name}>{preset.title}</p>
        <p className={classes.text}>{preset.meaning}</p>
      </div>
      <Button
        variant="default"
        size="xs"
        loading={busy}
        onClick={onOn}
        aria-label={`Switch on: ${preset.title}`}
      >
        Switch on
      </Button>
    </li>
  )
}
