// @ts-check
import { useCallback } from 'react'
import { useQueryClient } from '@tanstack/react-query'
import { fetchStatus } from './api.js'
import { withStatus } from './runReducer.js'
import { useLiveStore } from './useRunStream.jsx'

/** Asks again for everything that a run or a landed claim may have changed: counts, pending claims, history, figures. */
export function useRefresh() {
  const store = useLiveStore()
  const queries = useQueryClient()
  return useCallback(() => {
    void fetchStatus().then(
      (status) => store.update((state) => withStatus(state, status)),
      () => undefined,
    )
    void queries.invalidateQueries()
  }, [store, queries])
}
