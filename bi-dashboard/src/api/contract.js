// @ts-check
/** @import * as wire from './types.js' */
/** @import { components } from './schema.js' */

/**
 * Every shape the server documents must be one the pages can read: `tsc` fails here when the two drift apart.
 * @typedef {components['schemas']} Schemas
 */

/**
 * Tables come from notebooks, which may answer anything: the pages look at each before they show it.
 * @typedef {'layer' | 'tables' | 'tasks' | 'earlier_attempts'} Loose
 */

/** @param {Omit<Schemas['Run'], Loose>} run @returns {Omit<wire.Run, Loose>} */
export const readsRun = (run) => run

/** @param {Omit<Schemas['Task'], 'tables'>} task @returns {Omit<wire.Task, 'tables'>} */
export const readsTask = (task) => task

/** @param {Schemas['TaskOutput']} output @returns {wire.TaskOutput} */
export const readsTaskOutput = (output) => output

/** @param {Schemas['PreviewAnswer']} preview @returns {wire.Preview} */
export const readsPreview = (preview) => preview

/** @param {Schemas['EtaQuality']} quality @returns {wire.EtaQuality} */
export const readsEtaQuality = (quality) => quality

/** @param {Schemas['Status']} status @returns {wire.Status} */
export const readsStatus = (status) => status

/** @param {Schemas['ClaimPlace']} claim @returns {wire.ClaimPosition} */
export const readsClaim = (claim) => claim

/** @param {Schemas['Overview']} overview @returns {wire.Overview} */
export const readsOverview = (overview) => overview

/** @param {Schemas['Faults']} report @returns {wire.FaultReport} */
export const readsFaults = (report) => report

/** @param {Schemas['ClaimFigures'] | Schemas['CustomerFigures'] | Schemas['ProviderFigures'] | Schemas['RiskFigures']} figures @returns {wire.Figures} */
export const readsFigures = (figures) => figures
