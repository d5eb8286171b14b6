// @ts-check
/** @import { Run } from '../../api/types.js' */
/** @import { LiveState } from './runReducer.js' */
/** @import { LiveStore } from './liveStore.js' */
import { createContext, useContext, useEffect, useMemo, useSyncExternalStore } from 'react'
import { isActive, runKey } from '../../lib/runStates.js'

const StoreContext = createContext(/** @type {LiveStore | null} */ (null))

const QUIET_MS = 20_000

/** Wakes the stream when the machine or the network did; while a run is active a long silence is looked into. @param {LiveStore} store */
function watchTheNetwork(store) {
  const { stream } = store
  const verify = () => void (document.hidden || stream.verify())
  const quiet = setInterval(() => {
    const active = Object.values(store.live().runs).some(isActive)
    if (active && Date.now() - store.lastHeardAt() > QUIET_MS) verify()
  }, QUIET_MS)
  window.addEventListener('online', verify)
  window.addEventListener('offline', stream.wentOffline)
  document.addEventListener('visibilitychange', verify)
  return () => {
    clearInterval(quiet)
    window.removeEventListener('online', verify)
    window.removeEventListener('offline', stream.wentOffline)
    document.removeEventListener('visibilitychange', verify)
  }
}

/** @param {{ store: LiveStore, children: import('react').ReactNode }} props */
export function RunStreamProvider({ store, children }) {
  useEffect(() => {
    store.stream.start()
    const unwatch = watchTheNetwork(store)
    return () => {
      unwatch()
      store.stream.stop()
    }
  }, [store])
  return <StoreContext value={store}>{children}</StoreContext>
}

export function useLiveStore() {
  const store = useContext(StoreContext)
  if (!store) throw new Error('RunStreamProvider is missing')
  return store
}

/** Reads one slice; the reader renders again only when that slice changed. @template T @param {(state: LiveState) => T} select @returns {T} */
export function useLive(select) {
  const store = useLiveStore()
  return useSyncExternalStore(store.subscribe, () => select(store.live()))
}

export function useConnection() {
  const store = useLiveStore()
  return useSyncExternalStore(store.subscribe, store.connection)
}

/** @param {Run} run */
const newest = (run) => run.requested_at ?? run.started_at ?? ''

/** @param {Run[]} runs */
export const newestFirst = (runs) =>
  [...runs].sort(
    (a, b) => newest(b).localeCompare(newest(a)) || (b.run_id ?? Infinity) - (a.run_id ?? Infinity),
  )

/** All runs the page knows, newest first; `active` are those that have not ended, oldest first, as they will be done. */
export function useRuns() {
  const runs = useLive((state) => state.runs)
  return useMemo(() => {
    const all = newestFirst(Object.values(runs))
    return { all, active: all.filter(isActive).reverse(), latest: all.find((run) => !isActive(run)) ?? null }
  }, [runs])
}

/** @param {number | string} runId @returns {Run | undefined} */
export const useLiveRun = (runId) => useLive((state) => state.runs[`run:${runId}`])

/** True once the server has told anything. */
export const useKnown = () => useLive((state) => state.seq !== null)

export { runKey }
