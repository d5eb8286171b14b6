// @ts-check
// @vitest-environment jsdom
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { cleanup, screen, waitFor, within } from '@testing-library/react'
import userEvent from '@testing-library/user-event'
import { http, HttpResponse } from 'msw'
import { setupServer } from 'msw/node'
import { openPage } from './page.jsx'

const RULE = { kind: 'lost_reply', call: 'run-now', count: 1, skip: 0, for_s: null, probability: 1, seed: 0 }
const PRESETS = [
  { name: 'lost-reply', title: 'Lost reply of the next run-now', meaning: 'The run starts.', rule: RULE },
]
/** @type {any[]} */
let rules = []
/** @type {{ method: string, body: any, id: string | null }[]} */
let asked = []
const report = () => HttpResponse.json({ rules, presets: PRESETS })
const FAULTS = '*/api/local/faults'
const server = setupServer(
  http.get('*/api/pipeline/preview', () =>
    HttpResponse.json({ claims: 0, tables: [], cluster: 'warm', eta: null }),
  ),
  http.get('*/api/pipeline/pending', () => HttpResponse.json({})),
  http.get('*/api/pipeline/databricks/runs', () => HttpResponse.json({ runs: [] })),
  http.get('*/api/pipeline/status', () => HttpResponse.json({ layers: {}, workspace: { state: 'ok' } })),
  http.get(FAULTS, report),
  http.post(FAULTS, async ({ request }) => {
    const body = /** @type {any} */ (await request.json())
    asked.push({ method: 'POST', body, id: null })
    rules = [...rules, { ...body.rules[0], id: `fault-${rules.length + 1}`, seen: 0, hits: 0, active: true }]
    return report()
  }),
  http.delete(FAULTS, ({ request }) => {
    const id = new URL(request.url).searchParams.get('id')
    asked.push({ method: 'DELETE', body: null, id })
    rules = id ? rules.filter((rule) => rule.id !== id) : []
    return report()
  }),
)
beforeAll(() => server.listen({ onUnhandledRequest: 'error' }))
beforeEach(() => {
  rules = []
  asked = []
})
afterEach(() => {
  cleanup()
  server.resetHandlers()
})
afterAll(() => server.close())

/** @param {string} [kind] */
async function page(kind = 'local') {
  const opened = openPage('/pipeline')
  await opened.snapshot({ workspace: { kind, name: 'A workspace', state: 'ok' } })
}

async function drawer() {
  await page()
  await userEvent.click(await screen.findByRole('button', { name: 'Developer tools' }))
  return within(await screen.findByRole('dialog', { name: 'Things that go wrong on purpose' }))
}

describe('the developer drawer', () => {
  it('is there on a local workspace only', async () => {
    await page('databricks')
    await screen.findByRole('heading', { level: 1 })
    expect(screen.queryByRole('button', { name: 'Developer tools' })).toBeNull()
  })

  it('says that nothing goes wrong, and switches a preset on and off', async () => {
    const shown = await drawer()
    expect(await shown.findByText('Nothing goes wrong on purpose.')).toBeVisible()
    await userEvent.click(shown.getByRole('button', { name: 'Switch on: Lost reply of the next run-now' }))
    const on = within(shown.getByRole('region', { name: 'Switched on' }))
    expect(await on.findByText('On, has struck 0 times')).toBeVisible()
    expect(on.getByText('run-now: 1 time')).toBeVisible()
    expect(asked).toEqual([{ method: 'POST', body: { rules: [RULE] }, id: null }])
    await userEvent.click(on.getByRole('button', { name: 'Switch off lost reply' }))
    await waitFor(() => expect(shown.getByText('Nothing goes wrong on purpose.')).toBeVisible())
    expect(asked[1]).toEqual({ method: 'DELETE', body: null, id: 'fault-1' })
  })

  it('tells what is over and switches everything off', async () => {
    rules = [
      { ...RULE, id: 'fault-1', seen: 1, hits: 1, active: false },
      {
        ...RULE,
        kind: 'throttled',
        count: null,
        for_s: 20,
        probability: 0.75,
        id: 'fault-2',
        seen: 9,
        hits: 7,
        active: true,
      },
    ]
    const shown = await drawer()
    expect(await shown.findByText('Over, has struck 1 time')).toBeVisible()
    expect(shown.getByText('run-now: any number of times, for 20 s, 75 % of calls')).toBeVisible()
    await userEvent.click(shown.getByRole('button', { name: 'Switch all off' }))
    await waitFor(() => expect(shown.getByText('Nothing goes wrong on purpose.')).toBeVisible())
    expect(asked).toEqual([{ method: 'DELETE', body: null, id: null }])
  })

  it('waits visibly, says why it cannot read, and tries again when asked', async () => {
    let fails = true
    let answer = () => undefined
    const asked = new Promise((resolve) => void (answer = () => void resolve(undefined)))
    server.use(
      http.get(FAULTS, async () => {
        await asked
        const refusal = { code: 'role_not_sufficient', message: 'It takes an admin.', details: {} }
        return fails ? HttpResponse.json(refusal, { status: 403 }) : report()
      }),
    )
    const shown = await drawer()
    expect(shown.getByRole('status', { name: 'Reading the faults' })).toBeInTheDocument()
    answer()
    const alert = await shown.findByRole('alert')
    expect(alert).toHaveTextContent('It takes an admin.')
    fails = false
    await userEvent.click(within(alert).getByRole('button', { name: 'Try again' }))
    expect(await shown.findByText('Nothing goes wrong on purpose.')).toBeVisible()
  })

  it('keeps what is on when a change is refused', async () => {
    server.use(
      http.post(FAULTS, () =>
        HttpResponse.json(
          { code: 'invalid_request', message: 'At most 50 rules.', details: {} },
          { status: 422 },
        ),
      ),
    )
    const shown = await drawer()
    await userEvent.click(
      await shown.findByRole('button', { name: 'Switch on: Lost reply of the next run-now' }),
    )
    expect(await shown.findByText('At most 50 rules.')).toBeVisible()
    expect(shown.getByText('Nothing goes wrong on purpose.')).toBeVisible()
  })

  it('is left by Esc and gives the focus back', async () => {
    await drawer()
    await userEvent.keyboard('{Escape}')
    await waitFor(() => expect(screen.queryByRole('dialog')).toBeNull())
    await waitFor(() => expect(screen.getByRole('button', { name: 'Developer tools' })).toHaveFocus())
  })
})
