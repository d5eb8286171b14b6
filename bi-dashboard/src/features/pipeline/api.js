// @ts-check
/** @import { EtaQuality, Pending, Preview, Run, RunAction, RunPage, Status, TaskOutput, TriggerAnswer, TriggerOptions } from '../../api/types.js' */
import { infiniteQueryOptions, queryOptions } from '@tanstack/react-query'
import { ApiError, newRequestKey, queryString, request } from '../../api/client.js'

const BASE = '/api/pipeline'
const RUNS = `${BASE}/databricks/runs`
const RESENDS = 3

/** Resends while nobody answered: the same key makes repeats one run. @param {() => Promise<any>} send */
async function untilAnswered(send) {
  for (let sent = 1; ; sent += 1) {
    try {
      return await send()
    } catch (error) {
      if (!(error instanceof ApiError && error.unanswered) || sent === RESENDS) throw error
      await new Promise((resolve) => setTimeout(resolve, 400 * sent))
    }
  }
}

/** One click. @param {RunAction} action @param {TriggerOptions} options @returns {Promise<TriggerAnswer>} */
export function triggerRun(action, options) {
  const headers = { 'Idempotency-Key': newRequestKey() }
  const path = action.process ? `${BASE}/process/${action.process}` : `${BASE}/databricks/trigger`
  const body = action.process ? options : { layer: action.layer, ...options }
  return untilAnswered(() => request(path, { method: 'POST', body, headers }))
}

/** @param {number} runId @returns {Promise<unknown>} */
export const cancelRun = (runId) => request(`${RUNS}/${runId}/cancel`, { method: 'POST' })

/** @param {number} runId @returns {Promise<unknown>} */
export const repairRun = (runId) => request(`${RUNS}/${runId}/repair`, { method: 'POST' })

export const statusQuery = queryOptions({
  queryKey: ['status'],
  /** @returns {Promise<Status>} */
  queryFn: ({ signal }) => request(`${BASE}/status`, { signal }),
})

/** @param {RunAction} action @param {string[]} claimIds */
export const previewQuery = (action, claimIds) =>
  queryOptions({
    queryKey: ['preview', action.layer, action.process ?? null, claimIds],
    /** @returns {Promise<Preview>} */
    queryFn: ({ signal }) =>
      request(
        `${BASE}/preview${queryString({ layer: action.layer, process: action.process, claim_ids: inUrl(claimIds) })}`,
        { signal },
      ),
    staleTime: 15_000,
  })

/** A preview is a GET; more ids than an address can carry are previewed by the first of them. @param {string[]} claimIds */
const inUrl = (claimIds) => claimIds.slice(0, 60).join(',')

export const pendingQuery = queryOptions({
  queryKey: ['pending'],
  /** @returns {Promise<Pending>} */
  queryFn: ({ signal }) => request(`${BASE}/pending?limit=50`, { signal }),
  staleTime: 15_000,
})

export const etaQualityQuery = queryOptions({
  queryKey: ['runs', 'eta-quality'],
  /** @returns {Promise<EtaQuality>} */
  queryFn: ({ signal }) => request('/api/insights/eta-quality', { signal }),
})

/** @param {number | string} runId */
export const runQuery = (runId) =>
  queryOptions({
    queryKey: ['runs', 'one', String(runId)],
    /** @returns {Promise<Run>} */
    queryFn: ({ signal }) => request(`${RUNS}/${encodeURIComponent(runId)}`, { signal }),
  })

/** @param {{ layer: string | null, state: string | null }} filter */
export const historyQuery = (filter) =>
  infiniteQueryOptions({
    queryKey: ['runs', 'history', filter],
    /** @returns {Promise<RunPage>} */
    queryFn: ({ pageParam, signal }) =>
      request(`${RUNS}${queryString({ limit: 25, page_token: pageParam, ...filter })}`, { signal }),
    initialPageParam: '',
    enabled: filter.state !== 'active', // the stream knows every active run
    getNextPageParam: (/** @type {RunPage} */ page) => page.next_page_token || undefined,
  })

/** @param {number | string} runId @param {string} taskKey */
export const taskOutputQuery = (runId, taskKey) =>
  queryOptions({
    queryKey: ['runs', 'output', String(runId), taskKey],
    /** @returns {Promise<TaskOutput>} */
    queryFn: ({ signal }) =>
      request(`${RUNS}/${runId}/tasks/${encodeURIComponent(taskKey)}/output`, { signal }),
  })
