// @ts-check
/** @import { Layers, Run, Workspace } from '../api/types.js' */
/** @import { ConnectionStatus } from '../services/stream/streamClient.js' */
import * as fixtures from './fixtureRuns.js'

/**
 * @typedef {{ path: string, runs?: Run[] | null, layers?: Layers | null, workspace?: Workspace, mood?: string,
 *   connection?: Partial<ConnectionStatus> }} PageState  `runs: null` means that the server has told nothing yet
 */

const { past, succeeded, failed, databricks } = fixtures
const history = [succeeded, failed, ...past]

/** Every face a page can have. @type {Record<string, PageState>} */
export const STATES = {
  idle: { path: '/pipeline', runs: history },
  connecting: { path: '/pipeline', runs: null, mood: 'silent', connection: { state: 'connecting' } },
  'first-start': { path: '/pipeline', runs: [], layers: {}, mood: 'empty' },
  queued: { path: '/pipeline', runs: [fixtures.queued, fixtures.running, ...history] },
  starting: { path: '/pipeline', runs: [fixtures.starting, ...history], workspace: databricks },
  running: { path: '/pipeline', runs: [fixtures.running, ...history] },
  'running-databricks': { path: '/pipeline', runs: [fixtures.running, ...history], workspace: databricks },
  succeeded: { path: '/pipeline', runs: history },
  failed: { path: '/pipeline', runs: [{ ...failed, requested_at: fixtures.ago(95) }, ...past] },
  canceled: { path: '/pipeline', runs: [{ ...fixtures.canceled, requested_at: fixtures.ago(95) }, ...past] },
  submitting: { path: '/pipeline', runs: [fixtures.submitting, ...history], workspace: fixtures.degraded },
  refused: { path: '/pipeline', runs: [fixtures.refused, ...history], workspace: databricks },
  conflict: { path: '/pipeline', runs: [fixtures.running, ...history], mood: 'conflict' },
  'unknown-state': { path: '/pipeline', runs: [fixtures.unknownState, ...history] },
  degraded: { path: '/pipeline', runs: [fixtures.running, ...history], workspace: fixtures.degraded },
  reconnecting: { path: '/pipeline', runs: history, connection: { state: 'reconnecting' } },
  offline: {
    path: '/pipeline',
    runs: [fixtures.running, ...history],
    connection: { state: 'offline' },
    mood: 'broken',
  },
  overview: { path: '/overview', runs: history },
  'overview-empty': { path: '/overview', runs: [], mood: 'empty' },
  'overview-error': { path: '/overview', runs: [], mood: 'broken' },
  'overview-loading': { path: '/overview', runs: [], mood: 'silent' },
  'claim-figures': { path: '/insights/claims?species=Dog', runs: history },
  'claim-figures-empty': { path: '/insights/claims', runs: [], mood: 'empty' },
  'claim-figures-error': { path: '/insights/claims?species=Dog', runs: [], mood: 'broken' },
  'claim-figures-loading': { path: '/insights/claims', runs: [], mood: 'silent' },
  customers: { path: '/insights/customers', runs: history },
  runs: { path: '/runs', runs: [fixtures.running, ...history] },
  'runs-empty': { path: '/runs', runs: [], mood: 'empty' },
  'runs-error': { path: '/runs', runs: [], mood: 'broken' },
  'run-failed': { path: '/runs/126', runs: history },
  'run-succeeded': { path: '/runs/127', runs: history },
  'run-active': { path: '/runs/128', runs: [fixtures.running, ...history] },
  'run-missing': { path: '/runs/999', runs: [] },
  claims: { path: '/claims', runs: [] },
  'claim-quarantined': { path: '/claims?id=CLM-000123', runs: history },
  'claim-missing': { path: '/claims?id=CLM-9', runs: history },
  'not-found': { path: '/nowhere', runs: [] },
}
