// @ts-check
/**
 * The shapes on the wire, in one place. Everything that may be absent is optional here,
 * so that a page never trusts more than the server promised.
 *
 * @typedef {'bronze' | 'silver' | 'gold'} Layer
 * @typedef {Layer | 'all'} RunLayer
 * @typedef {{ p50_s: number, p90_s: number, n: number }} Eta  seconds still to go, as at the moment it was sent
 * @typedef {{ code: string, message: string }} EtaCause
 * @typedef {{ in?: number | null, out?: number | null, quarantined?: number | null }} RunRecords
 * @typedef {{ done: number, total: number, step?: string | null, task?: string | null }} Progress
 * @typedef {{ code?: string | null, message: string, task?: string | null, trace_excerpt?: string | null,
 *   advice?: string | null }} RunFault
 * @typedef {{ name: string, rows?: number | null, version?: number | null, version_before?: number | null,
 *   version_after?: number | null, rows_in?: number | null, rows_out?: number | null,
 *   rows_quarantined?: number | null }} TableState
 *
 * @typedef {object} Task
 * @property {string} task_key
 * @property {number} [task_run_id]  one attempt has one
 * @property {string | null} [state]  the workspace's raw life cycle state
 * @property {string | null} [result]
 * @property {string | null} [started_at]
 * @property {string | null} [ended_at]
 * @property {number | null} [duration_s]
 * @property {number | null} [setup_s]  cluster start-up inside the task, seconds
 * @property {number | null} [attempt_number]
 * @property {string | null} [notebook_path]
 * @property {RunRecords | null} [records]
 * @property {RunFault | string | null} [error]
 * @property {TableState[] | null} [tables]
 * @property {Task[]} [attempts]  earlier attempts, oldest first
 *
 * @typedef {{ state: string, requested_by: string, requested_at: string, next_try_at: string | null,
 *   error: { code: string, message: string } | null }} Cancel  DONE: the workspace has taken it
 * @typedef {{ phase: string, started_at: string | null, ended_at: string | null }} Phase
 *
 * @typedef {object} Run
 * @property {number | null} run_id
 * @property {string | null} [submission_id]
 * @property {string | null} [submission_state]  RECORDED, QUEUED, SUBMITTING, ACCEPTED, REFUSED, LOST
 * @property {RunLayer} layer
 * @property {string | null} [state]  the workspace's raw life cycle state
 * @property {string | null} [result]
 * @property {string | null} [job_url]
 * @property {string | null} [requested_by]
 * @property {string | null} [reason]
 * @property {string | null} [requested_at]
 * @property {string | null} [started_at]
 * @property {string | null} [ended_at]
 * @property {number | null} [duration_s]
 * @property {string[] | null} [claim_ids]
 * @property {RunRecords | null} [records]
 * @property {Eta | null} [eta]
 * @property {string | null} [eta_at]  when the eta was true
 * @property {EtaCause | null} [eta_cause]  why it is longer than what was shown before
 * @property {number} [attempt]  above 0 after a repair
 * @property {string[]} [task_keys]  the tasks in order, also those that nobody saw yet
 * @property {Task[]} tasks
 * @property {Task[]} [earlier_attempts]  as the server tells them; the pages read `attempts` of each task
 * @property {boolean} [active]  false once the workspace said how it ended
 * @property {number | null} [queue_s]
 * @property {number | null} [setup_s]
 * @property {TableState[] | null} [tables]
 * @property {string | null} [phase]  queued, cluster_starting, running
 * @property {Phase[]} [phases]  the phases so far, in order
 * @property {string | null} [task]  the task that is executing
 * @property {Progress | null} [progress]
 * @property {RunFault | null} [error]
 * @property {boolean | null} [retryable]
 * @property {string | null} [submit_reason]  why the workspace has not taken it yet
 * @property {string | null} [next_try_at]
 * @property {Cancel | null} [cancel]  asked for, and the run has not ended yet
 *
 * @typedef {object} LayerStatus
 * @property {string | null} [state]  of the newest task that worked on it
 * @property {string | null} [result]
 * @property {number | null} [last_run_id]
 * @property {string | null} [updated_at]
 * @property {TableState[]} [tables]
 * @property {number | { count: number } | null} [pending]
 *
 * @typedef {{ bronze?: LayerStatus, silver?: LayerStatus, gold?: LayerStatus }} Layers
 * @typedef {{ kind?: 'databricks' | 'local' | string, name?: string | null, state: string,
 *   last_known_at?: string | null, detail?: string | null }} Workspace
 * @typedef {{ run_id: number | null, refreshed_at: string | null, detail: string | null }} LakeReading
 * @typedef {{ layers: Layers, workspace: Workspace, lake?: LakeReading }} Status
 *
 * @typedef {{ seq: number, epoch: string, type: string, at: string, data: Record<string, any> }} Envelope
 * @typedef {{ runs: Run[], next_page_token?: string | null }} RunPage
 * @typedef {{ result: string | null, error: string | null, error_trace: string | null, truncated: boolean }} TaskOutput
 * @typedef {{ claims: number | null, tables: (string | TableState)[], cluster: 'warm' | 'cold' | string | null,
 *   eta: Eta | null }} Preview
 * @typedef {{ count: number | null, claim_ids: string[], files?: number }} PendingBucket
 * @typedef {{ bronze?: PendingBucket, silver?: PendingBucket, gold?: PendingBucket, quarantined?: PendingBucket }} Pending
 *
 * @typedef {{ layer: RunLayer, process?: 'bronze-to-silver' | 'silver-to-gold' }} RunAction
 * @typedef {{ claim_ids?: string[], reason?: string, if_active?: 'reject' | 'queue' | 'join' }} TriggerOptions
 * @typedef {{ submission_id: string, submission_state: string, run_id: number | null, job_url: string | null,
 *   layer: RunLayer, tasks: (string | Task)[], claim_ids: string[], state: string | null }} TriggerAnswer
 *
 * @typedef {{ tasks: string[], layer: string | null, n: number, p50_coverage: number, p90_coverage: number,
 *   pinball_loss_s: number, baselines: Record<string, { pinball_loss_s: number }>, gain: number | null }} TaskSetQuality
 * @typedef {{ task_sets: TaskSetQuality[] }} EtaQuality
 *
 * @typedef {{ present: boolean, run_id?: number | null, at?: string | null, waiting?: boolean }} ClaimLayer
 * @typedef {{ rule: string, message: string | null, run_id?: number | null, at?: string | null }} QuarantineReason
 * @typedef {{ claim_id: string, layers: { bronze: ClaimLayer, silver: ClaimLayer, gold: ClaimLayer },
 *   quarantine: QuarantineReason[] }} ClaimPosition
 *
 * @typedef {{ run_id: number | null, tables: { name: string, version: number | null }[] }} AsOf
 * @typedef {{ year_month?: string, earned_premium: number | null, claims: number | null, paid_amount: number | null,
 *   incurred_amount: number | null, loss_ratio: number | null, paid_loss_ratio: number | null,
 *   approval_rate: number | null, cycle_time_p50_days: number | null, cycle_time_p90_days: number | null }} Kpis
 * @typedef {{ as_of: AsOf | null, currency: string, valued_on?: string | null, latest: Kpis | null, previous: Kpis | null,
 *   trailing_12m: Kpis | null, months: Kpis[] }} Overview
 * @typedef {{ as_of: AsOf | null, months: (Kpis & Record<string, any>)[] }} Monthly
 *
 * @typedef {{ kind: string, call?: string | null, count?: number | null, skip?: number, for_s?: number | null,
 *   probability?: number, seed?: number, parameters?: Record<string, string | number> }} FaultRule
 * @typedef {FaultRule & { id: string, seen: number, hits: number, active: boolean }} SetFault
 * @typedef {{ name: string, title: string, meaning: string, rule: FaultRule }} FaultPreset
 * @typedef {{ rules: SetFault[], presets: FaultPreset[] }} FaultReport
 *
 * @typedef {Record<string, any>} FigureRow  the columns of a table, or sums under their names
 * @typedef {{ as_of: AsOf | null, currency: string, totals: FigureRow | null,
 *   before: { as_of: AsOf, totals: FigureRow } | null, options: Record<string, string[]>, top: FigureRow[],
 *   matching: number, listed: number, next_page_token: string | null }} Figures  beside the page's own parts
 */
export {}
