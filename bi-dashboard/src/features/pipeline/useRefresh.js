// @ts-check
import { useCallback } from 'react'
import { useQueryClient } from '@tanstack/react-query'
import { statusQuery } from './api.js'
import { withStatus } from './runReducer.js'
import { useLiveStore } from './useRunStream.jsx'

/** Asks again for everything that a run or a landed claim may have changed: counts, pending claims, history, figures. */
export function useRefresh() {
  const store = useLiveStore()
  const queries = useQueryClient()
  return useCallback(() => {
    void queries.invalidateQueries()
    void queries.fetchQuery({ ...statusQuery, staleTime: 0 }).then(
      (status) => store.update((state) => withStatus(state, status)),
      () => undefined,
    )
  }, [store, queries])
}
