// @ts-check
// @vitest-environment jsdom
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import { cleanup, screen, waitFor, within } from '@testing-library/react'
import userEvent from '@testing-library/user-event'
import { http, HttpResponse } from 'msw'
import { setupServer } from 'msw/node'
import { createKeyReader } from '../src/features/commands/commands.js'
import { AT, openPage } from './page.jsx'

/** @type {{ path: string, body: any }[]} */
let posts = []
const server = setupServer(
  http.get('*/api/pipeline/preview', () =>
    HttpResponse.json({ claims: 0, tables: [], cluster: 'warm', eta: null }),
  ),
  http.get('*/api/pipeline/pending', () => HttpResponse.json({})),
  http.get('*/api/pipeline/databricks/runs', () => HttpResponse.json({ runs: [] })),
  http.get('*/api/pipeline/status', () => HttpResponse.json({ layers: {}, workspace: { state: 'ok' } })),
  http.get('*/api/insights/eta-quality', () => HttpResponse.json({ task_sets: [] })),
  http.get('*/api/insights/overview', () => HttpResponse.json({ as_of: null, currency: 'USD', months: [] })),
  http.post('*/api/pipeline/*', async ({ request }) => {
    posts.push({
      path: new URL(request.url).pathname,
      body: await request.json().catch(() => null),
    })
    return HttpResponse.json({ code: 'refused', message: 'Not now', details: {} }, { status: 422 })
  }),
)
beforeAll(() => server.listen({ onUnhandledRequest: 'error' }))
afterEach(() => {
  cleanup()
  posts = []
  localStorage.clear()
})
afterAll(() => server.close())

const RUN = {
  run_id: 7,
  submission_id: 's1',
  layer: 'silver',
  requested_at: AT,
  started_at: AT,
  tasks: [{ task_key: 'silver_transformations', task_run_id: 71, state: 'RUNNING', started_at: AT }],
}
const heading = (/** @type {string | RegExp} */ name) => screen.findByRole('heading', { level: 1, name })

/** @param {any[]} [runs] */
async function pipeline(runs = []) {
  const page = openPage('/pipeline')
  await page.snapshot({ runs })
  await heading(/Pipeline/)
  return page
}

describe('the command palette', () => {
  it('opens by key and gives the focus back when it is left', async () => {
    await pipeline()
    const choose = screen.getByRole('button', { name: 'Choose claims' })
    choose.focus()
    await userEvent.keyboard('{Control>}k{/Control}')
    const field = await screen.findByRole('textbox', { name: 'Search or run' })
    await waitFor(() => expect(field).toHaveFocus())
    await userEvent.keyboard('{Escape}')
    await waitFor(() => expect(screen.queryByRole('dialog')).toBeNull())
    expect(choose).toHaveFocus()
  })

  it('goes where it is told', async () => {
    await pipeline()
    await userEvent.click(screen.getByRole('button', { name: 'Search or run…' }))
    await userEvent.type(await screen.findByRole('textbox', { name: 'Search or run' }), 'history')
    await userEvent.keyboard('{Enter}')
    expect(await heading('Runs')).toBeVisible()
  })

  it('starts what was chosen', async () => {
    await pipeline()
    await userEvent.keyboard('r')
    await userEvent.click(await screen.findByText('Process Silver → Gold', { selector: '[role="dialog"] *' }))
    await waitFor(() =>
      expect(posts.map((post) => post.path)).toEqual(['/api/pipeline/process/silver-to-gold']),
    )
    expect(await within(screen.getByRole('main')).findByText('Not now')).toBeVisible()
  })

  it('makes way for the dialog that a command opens', async () => {
    await pipeline()
    await userEvent.keyboard('{Control>}k{/Control}')
    await userEvent.type(await screen.findByRole('textbox', { name: 'Search or run' }), 'shortcuts')
    await userEvent.keyboard('{Enter}')
    expect(await screen.findByRole('dialog', { name: 'Keyboard shortcuts' })).toBeVisible()
  })
})

describe('single keys', () => {
  it('go to pages, show the help and focus the filter', async () => {
    await pipeline()
    await userEvent.keyboard('gr')
    expect(await heading('Runs')).toBeVisible()
    await userEvent.keyboard('/')
    expect(screen.getByRole('combobox', { name: 'Layer' })).toHaveFocus()
    await userEvent.keyboard('gp')
    expect(screen.queryByRole('heading', { level: 1, name: /Pipeline/ })).toBeNull()
  })

  it('can be turned off, and stay off', async () => {
    await pipeline()
    await userEvent.keyboard('?')
    const help = await screen.findByRole('dialog', { name: 'Keyboard shortcuts' })
    await userEvent.click(within(help).getByRole('checkbox', { name: 'Single keys are shortcuts' }))
    await userEvent.keyboard('{Escape}')
    await waitFor(() => expect(screen.queryByRole('dialog')).toBeNull())
    await userEvent.keyboard('gr?')
    expect(await heading(/Pipeline/)).toBeVisible()
    cleanup()
    await pipeline()
    await userEvent.keyboard('?')
    expect(screen.queryByRole('dialog')).toBeNull()
  })

  it('ask before they cancel, and cancel the run that is executing', async () => {
    await pipeline([
      { ...RUN, active: true, state: 'RUNNING' },
      { ...RUN, run_id: 8, submission_id: 's2', active: true, state: 'QUEUED', requested_at: `${AT}1` },
    ])
    await userEvent.keyboard('x')
    const dialog = await screen.findByRole('dialog', { name: 'Cancel run 7?' })
    expect(posts).toEqual([])
    await userEvent.click(within(dialog).getByRole('button', { name: 'Cancel the run' }))
    await waitFor(() => expect(posts[0]?.path).toBe('/api/pipeline/databricks/runs/7/cancel'))
    expect(await within(dialog).findByText('Not now')).toBeVisible()
  })

  it('retry what failed last, and nothing while a run is active', async () => {
    const failed = { ...RUN, active: false, state: 'TERMINATED', result: 'FAILED', error: { message: 'No' } }
    await pipeline([failed, { ...RUN, run_id: 8, submission_id: 's2', active: true, state: 'RUNNING' }])
    await userEvent.keyboard('.')
    cleanup()
    await pipeline([failed])
    await userEvent.keyboard('.')
    await waitFor(() => expect(posts[0]?.path).toBe('/api/pipeline/databricks/runs/7/repair'))
    expect(posts.length).toBeLessThanOrEqual(2) // a refused repair is followed by a new run
  })
})

describe('the reader of keys', () => {
  it('takes two keys for a pair only when they follow soon', () => {
    let now = 0
    const read = createKeyReader(() => now)
    const commands = [
      { id: 'pair', name: 'Pair', keys: 'g r', run() {} },
      { id: 'one', name: 'One', keys: 'r', run() {} },
    ]
    const ids = ['g', 'r', 'g'].map((key) => read(key, commands)?.id ?? null)
    now = 5000
    expect([...ids, read('r', commands)?.id]).toEqual([null, 'pair', null, 'one'])
  })
})
