// @ts-check
/** @import * as wire from './types.js' */
/** @import { components } from './schema.js' */

/**
 * Every shape the server documents must be one the pages can read: `tsc` fails here when the two drift apart.
 * @typedef {components['schemas']} Schemas
 */

/** @param {Schemas['Run']} run @returns {wire.Run} */
export const readsRun = (run) => /** @type {Omit<Schemas['Run'], 'layer'> & { layer: wire.RunLayer }} */ (run)

/** @param {Schemas['TaskOutput']} output @returns {wire.TaskOutput} */
export const readsTaskOutput = (output) => output

/** @param {Schemas['PreviewAnswer']} preview @returns {wire.Preview} */
export const readsPreview = (preview) => preview

/** @param {Schemas['Status']} status @returns {wire.Status} */
export const readsStatus = (status) => status

/** @param {Schemas['ClaimPlace']} claim @returns {wire.ClaimPosition} */
export const readsClaim = (claim) => claim

/** @param {Schemas['Overview']} overview @returns {wire.Overview} */
export const readsOverview = (overview) => overview
