// @ts-check
/** @import { Run, RunAction, TriggerOptions } from '../../api/types.js' */
import { createContext, useCallback, useContext, useMemo, useState } from 'react'
import { useMutation } from '@tanstack/react-query'
import { ApiError } from '../../api/client.js'
import { actionOf, isAccepted } from '../../lib/runStates.js'
import { serverClock } from '../../services/serverClock.js'
import { cancelRun, repairRun, triggerRun } from './api.js'
import { withAnswer } from './runReducer.js'
import { useLiveStore } from './useRunStream.jsx'

/**
 * A click the server refused: what was wanted, and the refusal.
 * @typedef {{ action: RunAction, options: TriggerOptions, error: ApiError }} RefusedClick
 */

/** @param {unknown} error */
const asApiError = (error) =>
  error instanceof ApiError ? error : new ApiError(0, 'UNEXPECTED', String(error))

/** @param {{ action: RunAction, options: TriggerOptions }} click */
const send = (click) => triggerRun(click.action, click.options)

/** Starts runs. `refused` is the last click that the server said no to, until it is settled. */
function useTriggerState() {
  const store = useLiveStore()
  const [refused, setRefused] = useState(/** @type {RefusedClick | null} */ (null))
  const mutation = useMutation({
    mutationFn: send,
    onMutate: () => setRefused(null),
    onSuccess: (answer, { options }) => {
      const at = new Date(serverClock.now()).toISOString()
      store.update((state) => withAnswer(state, answer, { at, reason: options.reason }))
    },
    onError: (error, { action, options }) => setRefused({ action, options, error: asApiError(error) }),
  })
  const { mutate, isPending, variables } = mutation
  const trigger = useCallback(
    (/** @type {RunAction} */ action, /** @type {TriggerOptions} */ options = {}) =>
      mutate({ action, options }),
    [mutate],
  )
  const settle = useCallback(() => setRefused(null), [])
  const sending = isPending ? variables.action : null
  return useMemo(() => ({ trigger, sending, refused, settle }), [trigger, sending, refused, settle])
}

const TriggerContext = createContext(/** @type {ReturnType<typeof useTriggerState> | null} */ (null))

/** One trigger state for the whole app: a refusal is shown once, wherever the click was made. @param {{ children: import('react').ReactNode }} props */
export function TriggerProvider({ children }) {
  return <TriggerContext value={useTriggerState()}>{children}</TriggerContext>
}

export function useTrigger() {
  const trigger = useContext(TriggerContext)
  if (!trigger) throw new Error('TriggerProvider is missing')
  return trigger
}

/** Asks the workspace to cancel. The run stays active until the workspace says that it ended. @param {Run} run @param {() => void} [onAsked] */
export function useCancel(run, onAsked) {
  const mutation = useMutation({ mutationFn: () => cancelRun(Number(run.run_id)), onSuccess: onAsked })
  return {
    cancel: () => mutation.mutate(),
    sending: mutation.isPending,
    asked: mutation.isPending || Boolean(run.cancel), // by whomever; the ledger tells
    error: mutation.error,
  }
}

const NOT_REPAIRABLE = new Set([400, 404, 409, 422, 501])

/** Runs again what failed: as a repair where the workspace can, else as a new run of the same tasks and claims. @param {(error: Error) => void} [onError] */
export function useRetry(onError) {
  const { trigger } = useTrigger()
  const startAgain = (/** @type {Run} */ run) => {
    const claim_ids = run.claim_ids?.length ? run.claim_ids : undefined
    trigger(actionOf(run), { claim_ids, reason: isAccepted(run) ? `Retry of run ${run.run_id}` : 'Retry' })
  }
  const isFinal = (/** @type {Error | null} */ error) =>
    error instanceof ApiError && NOT_REPAIRABLE.has(error.status)
  const repair = useMutation({
    mutationFn: (/** @type {Run} */ run) => repairRun(Number(run.run_id)),
    onError: (error, run) => (isFinal(error) ? startAgain(run) : onError?.(error)),
  })
  return {
    retry: (/** @type {Run} */ run) =>
      isAccepted(run) && run.retryable !== false ? repair.mutate(run) : startAgain(run),
    busy: repair.isPending,
    error: isFinal(repair.error) ? null : repair.error,
  }
}
