// @ts-check
// @vitest-environment jsdom
import { afterAll, afterEach, beforeAll, expect, it } from 'vitest'
import { cleanup, screen, within } from '@testing-library/react'
import { http, HttpResponse } from 'msw'
import { setupServer } from 'msw/node'
import { openPage } from './page.jsx'

const RUN = { run_id: 7, submission_id: 's1', layer: 'gold', requested_by: 'dana', claim_ids: [] }
const TASK = { task_key: 'gold_aggregations', task_run_id: 71, state: 'RUNNING' }
const CAUSE = { code: 'slower_than_usual', message: 'gold_aggregations takes longer than it usually does.' }

const server = setupServer(
  http.get('*/api/pipeline/databricks/runs', () => HttpResponse.json({ runs: [] })),
  http.get('*/api/pipeline/*', () => HttpResponse.json({})),
)
beforeAll(() => server.listen({ onUnhandledRequest: 'error' }))
afterEach(() => {
  cleanup()
  server.resetHandlers()
})
afterAll(() => server.close())

const main = () => within(screen.getByRole('main'))

it('says why more time is left than was said before', async () => {
  const page = openPage('/pipeline')
  await page.snapshot()
  const now = new Date().toISOString()
  const moving = { ...RUN, state: 'RUNNING', phase: 'running', task: TASK.task_key, tasks: [TASK] }
  await page.say('databricks_job_started', { ...RUN, tasks: [TASK.task_key], requested_at: now })
  await page.say('databricks_job_progress', {
    ...moving,
    eta: { p50_s: 900, p90_s: 1800, n: 12 },
    eta_at: now,
    eta_cause: null,
  })
  expect(main().getByText('15m 00s–30m 00s')).toBeVisible()
  expect(main().queryByText(/set up:/)).toBeNull()
  await page.say('databricks_job_progress', {
    ...moving,
    eta: { p50_s: 1800, p90_s: 3600, n: 12 },
    eta_at: now,
    eta_cause: CAUSE,
  })
  expect(main().getByText(/set up: gold_aggregations takes longer than it usually does\./)).toBeVisible()
})

it('shows below the history how good the estimates were', async () => {
  server.use(
    http.get('*/api/insights/eta-quality', () =>
      HttpResponse.json({
        task_sets: [
          {
            tasks: ['bronze_ingestion', 'silver_transformations'],
            layer: 'silver',
            n: 1312,
            p50_coverage: 0.48,
            p90_coverage: 0.913,
            pinball_loss_s: 2.94,
            baselines: { mean_of_last: { pinball_loss_s: 9.4 }, elapsed_fraction: { pinball_loss_s: 12.1 } },
            gain: 0.687,
          },
        ],
      }),
    ),
  )
  const page = openPage('/runs')
  await page.snapshot()
  const row = await screen.findByRole('row', { name: /Bronze → Silver/ })
  const cells = within(row)
    .getAllByRole('cell')
    .map((cell) => cell.textContent)
  expect(cells).toEqual(['1,312', '48%', '91%', '2.9s', '9.4s'])
})

it('says nothing of estimates while none was judged', async () => {
  server.use(http.get('*/api/insights/eta-quality', () => HttpResponse.json({ task_sets: [] })))
  const page = openPage('/runs')
  await page.snapshot()
  await screen.findByText('No run yet')
  expect(screen.queryByText('How good the time estimates were')).toBeNull()
})
