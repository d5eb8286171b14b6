// @ts-check
// @vitest-environment jsdom
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import { cleanup, screen, waitFor, within } from '@testing-library/react'
import userEvent from '@testing-library/user-event'
import { http, HttpResponse } from 'msw'
import { setupServer } from 'msw/node'
import { AT, openPage } from './page.jsx'

const TASKS = ['bronze_ingestion', 'silver_transformations']
const STARTED = {
  run_id: 7,
  submission_id: 's1',
  layer: 'silver',
  job_url: 'http://127.0.0.1:8471/#job/1/run/7',
  claim_ids: [],
  tasks: TASKS,
  requested_by: 'dana',
  requested_at: AT,
  eta: null,
}
const PROGRESS = {
  run_id: 7,
  submission_id: 's1',
  state: 'RUNNING',
  phase: 'running',
  task: TASKS[1],
  progress: { done: 3, total: 9, step: 'silver.claims', task: TASKS[1] },
  tasks: [
    {
      task_key: TASKS[0],
      task_run_id: 71,
      state: 'TERMINATED',
      result: 'SUCCESS',
      started_at: AT,
      ended_at: AT,
    },
    {
      task_key: TASKS[1],
      task_run_id: 72,
      state: 'RUNNING',
      started_at: AT,
      notebook_path: '/PetInsure360/02_silver_transformations',
    },
  ],
}
const COMPLETED = {
  ...PROGRESS,
  state: 'TERMINATED',
  phase: null,
  progress: null,
  result: 'SUCCESS',
  duration: 4.2,
  records: { in: 15000, out: 14700, quarantined: 300 },
  tables: [{ name: 'petinsure360.silver.claims', version_before: 3, version_after: 4 }],
  tasks: PROGRESS.tasks.map((task) => ({ ...task, state: 'TERMINATED', result: 'SUCCESS' })),
}
const FAILED = {
  ...COMPLETED,
  result: 'FAILED',
  error: {
    code: 'RUN_EXECUTION_ERROR',
    message: 'ValueError: amount is negative',
    task: TASKS[1],
    advice: 'Read the trace.',
  },
  retryable: true,
}

/** @type {{ path: string, body: any, key: string | null }[]} */
let posts = []
/** @type {() => Response} */
let answerClick
const accepted = () =>
  HttpResponse.json(
    {
      submission_id: 's1',
      submission_state: 'ACCEPTED',
      run_id: 7,
      job_url: STARTED.job_url,
      layer: 'silver',
      tasks: TASKS,
      claim_ids: [],
      state: 'PENDING',
    },
    { status: 202 },
  )

const server = setupServer(
  http.get('*/api/pipeline/preview', () =>
    HttpResponse.json({ claims: 12, tables: ['a', 'b'], cluster: 'warm', eta: null }),
  ),
  http.get('*/api/pipeline/pending', () =>
    HttpResponse.json({ bronze: { count: 2, claim_ids: ['CLM-1', 'CLM-2'] } }),
  ),
  http.get('*/api/pipeline/status', () =>
    HttpResponse.json({
      layers: {
        silver: {
          last_run_id: 7,
          updated_at: AT,
          pending: 0,
          tables: [{ name: 'silver.claims', rows: 14700, version: 4 }],
        },
      },
      workspace: { kind: 'local', state: 'ok' },
    }),
  ),
  http.get('*/tasks/*/output', () =>
    HttpResponse.json({
      result: null,
      error: 'ValueError',
      error_trace: 'Traceback line 12',
      truncated: false,
    }),
  ),
  http.post('*/api/pipeline/*', async ({ request }) => {
    posts.push({
      path: new URL(request.url).pathname,
      body: await request.json().catch(() => null),
      key: request.headers.get('Idempotency-Key'),
    })
    return answerClick()
  }),
  http.post('*/api/pipeline/databricks/runs/*', ({ request }) => {
    posts.push({ path: new URL(request.url).pathname, body: null, key: null })
    return answerClick()
  }),
  http.post('*/api/pipeline/process/*', async ({ request }) => {
    posts.push({
      path: new URL(request.url).pathname,
      body: await request.json(),
      key: request.headers.get('Idempotency-Key'),
    })
    return answerClick()
  }),
)
beforeAll(() => server.listen({ onUnhandledRequest: 'error' }))
afterEach(() => {
  cleanup()
  server.resetHandlers()
  posts = []
  answerClick = accepted
})
afterAll(() => server.close())
answerClick = accepted

const main = () => within(screen.getByRole('main'))

describe('the pipeline page', () => {
  it('runs with one click, follows the run live and shows what came out', async () => {
    const page = openPage('/pipeline')
    await page.snapshot()
    expect(main().queryByText(/running/i)).toBeNull()
    await userEvent.click(main().getByRole('button', { name: 'Process Bronze to Silver' }))
    await waitFor(() => expect(posts).toHaveLength(1))
    expect(posts[0]).toMatchObject({ path: '/api/pipeline/process/bronze-to-silver', body: {} })
    expect(posts[0]?.key).toMatch(/^[0-9a-f-]{36}$/)
    expect(await main().findByText('Running on the local workspace…')).toBeVisible()
    await page.say('databricks_job_started', STARTED)
    await page.say('databricks_job_progress', PROGRESS)
    expect(main().getByText('Task 2 of 2 · Silver · 02_silver_transformations')).toBeVisible()
    expect(main().getByText(/silver\.claims · step 3 of 9/)).toBeVisible()
    expect(main().getByRole('link', { name: /Open run/ })).toHaveAttribute('href', STARTED.job_url)
    await page.say('databricks_job_completed', COMPLETED)
    expect(main().getByText('Bronze → Silver finished in 4.2s')).toBeVisible()
    expect(main().getAllByText('14,700').length).toBeGreaterThan(0)
    expect(main().queryByText(/running/i)).toBeNull()
    await userEvent.click(main().getByText('1 table written'))
    expect(await main().findByText('v3 → v4')).toBeVisible()
  })

  it('says Databricks when the notebooks run there', async () => {
    const page = openPage('/pipeline')
    await page.snapshot({
      workspace: { kind: 'databricks', name: 'adb', state: 'ok' },
      runs: [{ ...STARTED, ...PROGRESS }],
    })
    expect(main().getByText('Running on Databricks…')).toBeVisible()
  })

  it('shows why a run failed, its trace one click away, and repairs it', async () => {
    const page = openPage('/pipeline')
    await page.snapshot()
    await page.say('databricks_job_started', STARTED)
    await page.say('databricks_job_failed', FAILED)
    expect(main().getByText('ValueError: amount is negative')).toBeVisible()
    await userEvent.click(main().getByRole('button', { name: 'Show the trace' }))
    expect(await main().findByText('Traceback line 12')).toBeVisible()
    answerClick = () => HttpResponse.json({}, { status: 202 })
    await userEvent.click(main().getByRole('button', { name: 'Retry' }))
    await waitFor(() => expect(posts[0]?.path).toBe('/api/pipeline/databricks/runs/7/repair'))
  })

  it('starts the same tasks anew when the run cannot be repaired', async () => {
    const page = openPage('/pipeline')
    await page.snapshot()
    await page.say('databricks_job_started', STARTED)
    await page.say('databricks_job_failed', FAILED)
    answerClick = () =>
      posts.length === 1
        ? HttpResponse.json({ code: 'not_repairable', message: 'No.', details: {} }, { status: 409 })
        : accepted()
    await userEvent.click(main().getByRole('button', { name: 'Retry' }))
    await waitFor(() => expect(posts).toHaveLength(2))
    expect(posts[1]).toMatchObject({
      path: '/api/pipeline/process/bronze-to-silver',
      body: { reason: 'Retry of run 7' },
    })
  })

  it('offers to queue or to watch when the layer is busy', async () => {
    const page = openPage('/pipeline')
    await page.snapshot({ runs: [{ ...STARTED, ...PROGRESS }] })
    answerClick = () =>
      HttpResponse.json({ code: 'run_conflict', message: 'Busy.', details: { run_id: 7 } }, { status: 409 })
    await userEvent.click(main().getByRole('button', { name: 'Run Silver' }))
    expect(await main().findByText('Run 7 works on this already.')).toBeVisible()
    expect(main().getByRole('link', { name: 'Watch it' })).toHaveAttribute('href', '/runs/7')
    answerClick = accepted
    await userEvent.click(main().getByRole('button', { name: 'Queue' }))
    await waitFor(() => expect(posts[1]?.body).toEqual({ layer: 'silver', if_active: 'queue' }))
  })

  it('sends the same key again while nobody answers', async () => {
    const page = openPage('/pipeline')
    await page.snapshot()
    answerClick = () => (posts.length === 1 ? HttpResponse.error() : accepted())
    await userEvent.click(main().getByRole('button', { name: 'Run all' }))
    await waitFor(() => expect(posts).toHaveLength(2))
    expect(posts[0]?.key).toBe(posts[1]?.key)
  })

  it('sends the chosen claims and shows what is not an id', async () => {
    const page = openPage('/pipeline')
    await page.snapshot()
    await userEvent.click(main().getByRole('button', { name: 'Choose claims' }))
    await userEvent.click(main().getByLabelText('Claims'))
    await userEvent.paste('CLM-9, /etc/passwd')
    expect(main().getByText(/1 entry is not a claim id: \/etc\/passwd/)).toBeVisible()
    await userEvent.click(await main().findByRole('button', { name: 'Add 2 claims pending for Bronze' }))
    await userEvent.type(main().getByLabelText('Reason'), 'Month end')
    await userEvent.click(main().getByRole('button', { name: 'Process Silver to Gold' }))
    await waitFor(() =>
      expect(posts[0]?.body).toEqual({ claim_ids: ['CLM-9', 'CLM-1', 'CLM-2'], reason: 'Month end' }),
    )
  })

  it('says why a click is not accepted yet and when it is tried again', async () => {
    const page = openPage('/pipeline')
    await page.snapshot()
    await page.say('databricks_job_submitting', {
      submission_id: 's9',
      layer: 'gold',
      tasks: ['gold_aggregations'],
      reason: 'the workspace answers 429',
      next_try_at: '2026-11-23T08:00:12.000Z',
    })
    expect(main().getByText('Not accepted yet: the workspace answers 429, next try 08:00:12')).toBeVisible()
  })

  it('shows a cancellation, whoever asked for it, until the workspace has ended the run', async () => {
    const page = openPage('/pipeline')
    const cancel = {
      state: 'RECORDED',
      requested_by: 'sam',
      requested_at: AT,
      next_try_at: null,
      error: null,
    }
    const notice = (/** @type {RegExp} */ words) => main().getByText(words)
    const run = { run_id: 7, submission_id: 's1', attempt: 0 }
    await page.snapshot({ runs: [{ ...STARTED, ...PROGRESS, attempt: 0, active: true, cancel: null }] })
    expect(main().getByRole('button', { name: 'Cancel run' })).toBeEnabled()
    await page.say('run_canceling', { ...run, cancel })
    expect(notice(/^Cancellation requested by sam at 08:00:00\. It is on its way/)).toBeVisible()
    expect(main().getByRole('button', { name: 'Cancel requested' })).toBeDisabled()
    await page.say('run_canceling', {
      ...run,
      cancel: {
        ...cancel,
        state: 'SENDING',
        next_try_at: '2026-11-23T08:00:12.000Z',
        error: { code: 'workspace_unreachable', message: 'The workspace answered 503.' },
      },
    })
    expect(notice(/has not taken it yet: The workspace answered 503\., next try 08:00:12$/)).toHaveAttribute(
      'role',
      'status',
    )
    await page.say('databricks_job_progress', { ...PROGRESS, progress: { done: 4, total: 9 } })
    expect(notice(/has not taken it yet/)).toBeVisible() // the run goes on, and so does the wish
    await page.say('run_canceling', { ...run, cancel: { ...cancel, state: 'DONE' } })
    expect(notice(/The workspace has taken it; the run is active until/)).toBeVisible()
    await page.say('databricks_job_failed', { ...FAILED, result: 'CANCELED' })
    expect(main().queryByText(/Cancellation requested/)).toBeNull()
    await page.say('databricks_job_started', { ...STARTED, attempt: 1 })
    expect(main().getByRole('button', { name: 'Cancel run' })).toBeEnabled()
  })

  it('shows a cancellation that a snapshot tells, and that one came to nothing', async () => {
    const page = openPage('/pipeline')
    const cancel = { state: 'DONE', requested_by: 'sam', requested_at: AT, next_try_at: null, error: null }
    await page.snapshot({ runs: [{ ...STARTED, ...PROGRESS, attempt: 0, active: true, cancel }] })
    expect(main().getByText(/^Cancellation requested by sam/)).toBeVisible()
    await page.say('run_canceling', { run_id: 7, submission_id: 's1', attempt: 0, cancel: null })
    expect(main().queryByText(/Cancellation requested/)).toBeNull()
    expect(main().getByRole('button', { name: 'Cancel run' })).toBeEnabled()
  })

  it('says that the workspace is away, what it last knew and why, until it is back', async () => {
    const page = openPage('/pipeline')
    await page.snapshot({ runs: [{ ...STARTED, ...PROGRESS, attempt: 0, active: true, cancel: null }] })
    expect(main().queryByText(/does not answer as it should/)).toBeNull()
    const detail =
      'The workspace at https://w cannot be reached (ConnectError). It is asked again in a moment.'
    const away = { kind: 'databricks', name: 'w', state: 'degraded', last_known_at: AT, detail }
    await page.say('workspace_status', away)
    const notice = main()
      .getAllByRole('status')
      .find((one) => one.textContent?.includes('does not answer as it should'))
    expect(notice).toHaveTextContent('What you see was last known 08:00:00.')
    expect(notice).toHaveTextContent(detail)
    expect(main().getByText('Running on Databricks…')).toBeVisible() // never shown as failed
    await page.say('workspace_status', { ...away, state: 'ok', detail: null })
    expect(main().queryByText(/does not answer as it should/)).toBeNull()
  })

  it('asks for a snapshot when an event is missing', async () => {
    const page = openPage('/pipeline')
    await page.snapshot()
    page.skip()
    await page.say('databricks_job_started', STARTED)
    expect(page.calls.resyncs).toBe(1)
  })

  it('keeps what it knew while the connection is lost', async () => {
    const page = openPage('/pipeline')
    await page.snapshot({ runs: [{ ...STARTED, ...PROGRESS }] })
    await page.connection({ state: 'offline' })
    expect(screen.getByText('Offline since 08:00')).toBeVisible()
    expect(main().getByText('Running on the local workspace…')).toBeVisible()
    await page.connection({ state: 'live', transport: 'Long poll' })
    expect(screen.getByText('Live')).toBeVisible()
  })

  it('speaks one sentence per phase and alerts of a failure', async () => {
    const page = openPage('/pipeline')
    await page.snapshot()
    await page.say('databricks_job_started', STARTED)
    await page.say('databricks_job_progress', PROGRESS)
    const spoken = 'Run 7, Bronze → Silver, is at Silver, notebook 02_silver_transformations.'
    expect(screen.getByText(spoken)).toBeInTheDocument()
    await page.say('databricks_job_progress', { ...PROGRESS, progress: { done: 4, total: 9 } })
    expect(screen.getByText(spoken)).toBeInTheDocument()
    await page.say('databricks_job_failed', FAILED)
    expect(screen.getByText('Run 7 ended: ValueError: amount is negative.')).toHaveAttribute('role', 'alert')
    expect(screen.queryByText('Run 7: Failed')).toBeNull() // the page shows it already
  })
})

describe('elsewhere', () => {
  it('a failure is kept on screen until it is dismissed or repaired', async () => {
    const page = openPage('/nowhere')
    await page.snapshot()
    await page.say('databricks_job_started', STARTED)
    await page.say('databricks_job_progress', PROGRESS)
    await page.say('databricks_job_failed', FAILED)
    expect(await screen.findByText('Run 7: Failed')).toBeVisible()
    await page.say('databricks_job_started', { ...STARTED, attempt: 1 })
    await waitFor(() => expect(screen.queryByText('Run 7: Failed')).toBeNull())
  })

  it('says what is being made while there are no figures yet, and fills when there are', async () => {
    server.use(
      http.get('*/api/insights/overview', () =>
        HttpResponse.json({ as_of: null, currency: 'USD', latest: null, months: [] }),
      ),
    )
    const page = openPage('/overview')
    await page.snapshot()
    expect(await screen.findByText('No figures yet')).toBeVisible()
    await page.say('databricks_job_started', STARTED)
    await page.say('databricks_job_progress', PROGRESS)
    expect(screen.getByText('The figures are being made')).toBeVisible()
    expect(main().getByText(/is at Silver/)).toBeVisible()
    expect(screen.getByRole('link', { name: 'Watch the run' })).toHaveAttribute('href', '/runs/7')
  })

  it('says why the tables could not be read', async () => {
    server.use(
      http.get('*/api/pipeline/status', () =>
        HttpResponse.json({
          layers: {},
          workspace: { state: 'ok' },
          lake: { run_id: null, refreshed_at: AT, detail: 'There is no SQL warehouse.' },
        }),
      ),
    )
    const page = openPage('/pipeline')
    await page.snapshot()
    expect(await screen.findByText(/There is no SQL warehouse/)).toBeVisible()
  })

  it('opens the output of the task that the address names', async () => {
    server.use(
      http.get('*/api/pipeline/databricks/runs/7', () => new Promise(() => undefined)),
      http.get('*/tasks/*/output', () =>
        HttpResponse.json({ result: '{"rows_out":3}', error: null, error_trace: null, truncated: false }),
      ),
    )
    const page = openPage('/runs/7?task=silver_transformations')
    const { tasks, ...rest } = COMPLETED
    await page.snapshot({
      runs: [
        {
          ...rest,
          active: false,
          attempt: 1,
          task_keys: TASKS,
          tasks: tasks.map((task, index) => ({ ...task, attempt_number: index })),
          earlier_attempts: [
            {
              task_key: TASKS[1],
              task_run_id: 70,
              attempt_number: 0,
              state: 'TERMINATED',
              result: 'FAILED',
              error: { message: 'ValueError: no' },
            },
          ],
        },
      ],
    })
    const result = await screen.findByRole('region', { name: 'Result of silver_transformations' })
    expect(result).toHaveTextContent('"rows_out": 3')
    expect(main().getByText('ValueError: no')).toBeVisible()
    await userEvent.click(main().getByRole('button', { name: /^Hide the output/ }))
    expect(screen.queryByRole('region', { name: 'Result of silver_transformations' })).toBeNull()
  })
})
