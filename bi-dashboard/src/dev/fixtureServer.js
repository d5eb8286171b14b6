// @ts-check
import { claims, customers, noFigures } from './fixtureFigures.js'
import { monthly, noMonthly, noOverview, overview } from './fixtureInsights.js'
import { failed, past, succeeded, canceled, running } from './fixtureRuns.js'

/** Answers of the API for the states page, shaped as the server gives them. @typedef {{ status?: number, body: unknown }} Answer */

const trace = `RejectedShareTooLarge                     Traceback (most recent call last)
File /PetInsure360/02_silver_transformations, cell 4, line 12
     10 batch = silver_claims(bronze, policies)
     11 quality = check(batch)
---> 12 refuse_if_too_many_rejected(quality, limit=0.20)

RejectedShareTooLarge: 41 % of silver.claims was rejected by rule amount_non_negative; at most 20 % is allowed.`

const claim = {
  claim_id: 'CLM-000123',
  layers: {
    bronze: { present: true, run_id: 127, at: succeeded.ended_at },
    silver: { present: false },
    gold: { present: false },
  },
  quarantine: [
    {
      rule: 'amount_is_number',
      message: "claim_amount 'EUR 1.200,50' is not a number",
      run_id: 127,
      at: succeeded.ended_at,
    },
  ],
}

/** @type {[RegExp, Answer][]} */
const USUAL = [
  [
    /preview.*layer=all/,
    {
      body: {
        claims: 1204,
        tables: Array.from({ length: 20 }, (_, index) => `t${index}`),
        cluster: 'warm',
        eta: { p50_s: 11, p90_s: 19, n: 14 },
      },
    },
  ],
  [
    /preview.*layer=silver/,
    {
      body: {
        claims: 1204,
        tables: Array.from({ length: 14 }, (_, index) => `t${index}`),
        cluster: 'cold',
        eta: { p50_s: 96, p90_s: 140, n: 12 },
      },
    },
  ],
  [
    /preview/,
    {
      body: {
        claims: 86,
        tables: Array.from({ length: 6 }, (_, index) => `t${index}`),
        cluster: 'warm',
        eta: null,
      },
    },
  ],
  [
    /pending/,
    {
      body: {
        bronze: { count: 124, claim_ids: Array.from({ length: 40 }, (_, index) => `CLM-${700100 + index}`) },
        silver: { count: 0, claim_ids: [] },
        gold: { count: 12, claim_ids: ['CLM-700090', 'CLM-700091'] },
        quarantined: { count: 312, claim_ids: [] },
      },
    },
  ],
  [
    /output/,
    {
      body: {
        result: '{"layer":"silver","rows_in":15330}',
        error: failed.error?.message,
        error_trace: trace,
        truncated: false,
      },
    },
  ],
  [/runs\/126/, { body: { ...failed, reason: 'Month end', claim_ids: ['CLM-000123', 'CLM-000124'] } }],
  [/runs\/127/, { body: succeeded }],
  [/runs\/128/, { body: running }],
  [
    /runs\/\d+/,
    { status: 404, body: { code: 'run_not_found', message: 'There is no run 999.', details: {} } },
  ],
  [/runs/, { body: { runs: [succeeded, failed, canceled, ...past], next_page_token: 'older' } }],
  [/insights\/overview/, { body: overview }],
  [
    /insights\/eta-quality/,
    {
      body: {
        task_sets: [
          {
            tasks: ['bronze_ingestion', 'silver_transformations', 'gold_aggregations'],
            layer: 'all',
            n: 312,
            p50_coverage: 0.51,
            p90_coverage: 0.91,
            pinball_loss_s: 2.9,
            baselines: { mean_of_last: { pinball_loss_s: 9.4 }, elapsed_fraction: { pinball_loss_s: 12.1 } },
            gain: 0.69,
          },
        ],
      },
    },
  ],
  [/insights\/monthly/, { body: monthly }],
  [/insights\/claims/, { body: claims }],
  [/insights\/customers/, { body: customers }],
  [/claims\/CLM-000123/, { body: claim }],
  [/claims\//, { status: 404, body: { code: 'claim_not_found', message: 'No such claim.', details: {} } }],
]

/** @type {Record<string, [RegExp, Answer][]>} */
export const MOODS = {
  usual: [],
  empty: [
    [/insights\/overview/, { body: noOverview }],
    [/insights\/monthly/, { body: noMonthly }],
    [/insights\//, { body: noFigures }],
    [/runs/, { body: { runs: [] } }],
    [/eta-quality/, { body: { task_sets: [] } }],
    [/preview/, { body: { claims: 0, tables: [], cluster: 'cold', eta: null } }],
    [/pending/, { body: {} }],
  ],
  broken: [
    [
      /./,
      {
        status: 500,
        body: {
          code: 'internal_error',
          message: 'The store could not be read. The request id is 4f1c.',
          details: {},
        },
      },
    ],
  ],
  conflict: [
    [
      /trigger|process/,
      {
        status: 409,
        body: { code: 'run_conflict', message: 'Run 128 works on this already.', details: { run_id: 128 } },
      },
    ],
  ],
  silent: [],
}

/** @param {string} mood @returns {typeof fetch} */
export function fixtureFetch(mood) {
  return async (input) => {
    if (mood === 'silent') return new Promise(() => undefined)
    const path = String(input)
    const [, answer] = [...(MOODS[mood] ?? []), ...USUAL].find(([pattern]) => pattern.test(path)) ?? [
      null,
      { status: 404, body: { code: 'not_found', message: path, details: {} } },
    ]
    return new Response(JSON.stringify(answer.body), {
      status: answer.status ?? 200,
      headers: { 'Content-Type': 'application/json' },
    })
  }
}
