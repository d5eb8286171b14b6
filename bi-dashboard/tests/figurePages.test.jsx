// @ts-check
// @vitest-environment jsdom
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest'
import { cleanup, screen, waitFor, within } from '@testing-library/react'
import userEvent from '@testing-library/user-event'
import { http, HttpResponse } from 'msw'
import { setupServer } from 'msw/node'
import { claims, customers, noFigures, nothing } from '../src/dev/fixtureFigures.js'
import { overview } from '../src/dev/fixtureInsights.js'
import { openPage } from './page.jsx'

/** @type {string[]} */
let asked = []
/** @type {(search: URLSearchParams) => Response} */
let claimsAnswer
const server = setupServer(
  http.get('*/api/pipeline/status', () => HttpResponse.json({ layers: {}, workspace: { state: 'ok' } })),
  http.get('*/api/insights/overview', () => HttpResponse.json(overview)),
  http.get('*/api/insights/claims', ({ request }) => {
    const { search, searchParams } = new URL(request.url)
    asked.push(search)
    return claimsAnswer(searchParams)
  }),
  http.get('*/api/insights/customers', () => HttpResponse.json(customers)),
)
beforeAll(() => server.listen({ onUnhandledRequest: 'error' }))
beforeEach(() => {
  asked = []
  claimsAnswer = () => HttpResponse.json(claims)
})
afterEach(() => {
  cleanup()
  vi.unstubAllGlobals()
})
afterAll(() => server.close())

/** @param {string} name */
const tile = async (name) => {
  const list = await screen.findByLabelText('Key figures')
  return /** @type {HTMLElement} */ (within(list).getByText(name).closest('li'))
}
/** @param {string} path */
async function open(path) {
  const page = openPage(path)
  await page.snapshot()
  return page
}

describe('a page of figures', () => {
  it('says what the figures are, how they changed, and which run they come from', async () => {
    await open('/insights/claims')
    expect(await tile('Claims')).toHaveTextContent('14,760')
    expect(await tile('Claims')).toHaveTextContent('Oct 2026: 601▲up 6.6%') // November is not over
    expect(await tile('Approval rate')).toHaveTextContent('90.0%')
    expect(screen.getByRole('link', { name: 'run 127' })).toHaveAttribute('href', '/runs/127')
    expect(screen.getAllByText('gold.claims_analytics').length).toBeGreaterThan(5)
  })

  it('compares with the run before where there are no months', async () => {
    await open('/insights/customers')
    expect(await tile('Customers')).toHaveTextContent('5,000the whole booksince the run before▲up 0.4%')
    expect(await tile('Loss ratio')).toHaveTextContent(/70\.2%.*unchanged/)
    expect(screen.getByRole('cell', { name: '186.0%' })).toBeVisible()
    expect(screen.getByRole('cell', { name: 'Julian Perez' })).toBeVisible()
  })

  it('is narrowed by a click on a bar, and by the filters of its address', async () => {
    await open('/insights/claims?from=2025-12&colour=red')
    const bars = () => screen.findByLabelText('By species, claims')
    await bars()
    expect(asked).toEqual(['?from=2025-12&limit=50'])
    await userEvent.click(within(await bars()).getByRole('button', { name: /^Cat/ }))
    await waitFor(() => expect(asked.at(-1)).toBe('?from=2025-12&species=Cat&limit=50'))
    const filters = screen.getByRole('group', { name: 'Filters' })
    expect(within(filters).getByLabelText('Species')).toHaveValue('Cat')
    expect(within(filters).getByLabelText('From')).toHaveDisplayValue('Dec 2025')
    expect(within(await bars()).getByRole('button', { name: /^Cat/ })).toHaveAttribute('aria-pressed', 'true')
    await userEvent.click(within(await bars()).getByRole('button', { name: /^Cat/ }))
    await waitFor(() => expect(within(filters).getByLabelText('Species')).toHaveValue(''))
    await userEvent.selectOptions(within(filters).getByLabelText('Status'), 'Denied')
    await waitFor(() => expect(asked.at(-1)).toBe('?from=2025-12&status=Denied&limit=50'))
    await userEvent.click(within(filters).getByRole('button', { name: 'Clear the filters' }))
    await waitFor(() => expect(asked.at(-1)).toBe('?limit=50'))
  })

  it('shows each chart as a table too', async () => {
    await open('/insights/claims')
    const panel = await screen.findByRole('region', { name: 'By status' })
    await userEvent.click(within(panel).getByRole('radio', { name: 'Table' }))
    const table = within(panel).getByRole('table')
    expect(within(table).getAllByRole('row')).toHaveLength(4)
    expect(within(table).getByRole('row', { name: /^Denied 1,400 .* 90\.0%$/ })).toBeVisible()
  })

  it('has its list sorted by the server and goes on with the next page', async () => {
    claimsAnswer = (search) =>
      HttpResponse.json(
        search.get('page_token')
          ? { ...claims, top: [{ ...claims.top[0], claim_id: 'CLM-LAST' }], next_page_token: null }
          : claims,
      )
    await open('/insights/claims')
    const list = await screen.findByRole('region', { name: 'Claims, the dearest first' })
    expect(within(list).getByRole('columnheader', { name: 'Billed' })).toHaveAttribute(
      'aria-sort',
      'descending',
    )
    expect(within(list).getByText(/^2 of 2,000 shown; .*first 2,000 rows$/)).toBeVisible()
    await userEvent.click(within(list).getByRole('button', { name: 'Show more' }))
    expect(await within(list).findByRole('link', { name: 'CLM-LAST' })).toHaveAttribute(
      'href',
      '/claims?id=CLM-LAST',
    )
    expect(asked.at(-1)).toBe('?limit=50&page_token=50.abc')
    expect(within(list).queryByRole('button', { name: 'Show more' })).toBeNull()
    await userEvent.click(within(list).getByRole('button', { name: 'Paid' }))
    await waitFor(() => expect(asked.at(-1)).toBe('?sort=-paid_amount&limit=50'))
    expect(list).toHaveAccessibleName('Claims')
    await userEvent.click(within(list).getByRole('button', { name: /^Paid/ }))
    await waitFor(() => expect(asked.at(-1)).toBe('?sort=paid_amount&limit=50'))
  })

  it('takes every matching row along as CSV', async () => {
    claimsAnswer = (search) =>
      HttpResponse.json({ ...claims, next_page_token: search.get('page_token') ? null : '1000.abc' })
    /** @type {Blob[]} */
    const files = []
    vi.stubGlobal(
      'URL',
      Object.assign(URL, {
        createObjectURL: (/** @type {Blob} */ file) => `blob:${files.push(file)}`,
        revokeObjectURL() {},
      }),
    )
    await open('/insights/claims?species=Dog')
    await userEvent.click(await screen.findByText('of Claims'))
    await waitFor(() => expect(files).toHaveLength(1))
    const lines = (await files[0]?.text())?.trim().split('\r\n') ?? []
    expect(lines).toHaveLength(1 + 2 * claims.top.length)
    expect(lines[0]).toMatch(/^claim_id,service_date,/)
    expect(asked.slice(-2)).toEqual([
      '?species=Dog&limit=1000',
      '?species=Dog&limit=1000&page_token=1000.abc',
    ])
  })
})

describe('a page of figures without figures', () => {
  it('says that no claim matches and offers all of them', async () => {
    claimsAnswer = (search) => HttpResponse.json(search.get('species') ? nothing : claims)
    await open('/insights/claims?species=Fish')
    expect(await screen.findByText('No claim matches')).toBeVisible()
    expect(screen.getByLabelText('Species')).toHaveValue('Fish')
    await userEvent.click(screen.getAllByRole('button', { name: 'Clear the filters' })[0] ?? document.body)
    expect(await tile('Claims')).toHaveTextContent('14,760')
  })

  it('says so before the first gold run', async () => {
    claimsAnswer = () => HttpResponse.json(noFigures)
    await open('/insights/claims')
    expect(await screen.findByText('No figures yet')).toBeVisible()
  })

  it('repeats what the server refused, and lets the filters be dropped', async () => {
    claimsAnswer = (search) =>
      search.get('from')
        ? HttpResponse.json(
            { code: 'invalid_request', message: 'from: YYYY-MM', details: {} },
            { status: 422 },
          )
        : HttpResponse.json(claims)
    await open('/insights/claims?from=yesterday')
    expect(await screen.findByText('from: YYYY-MM')).toBeVisible()
    expect(screen.getByText('The figures could not be read')).toBeVisible()
    await userEvent.click(screen.getByRole('button', { name: 'Clear the filters' }))
    expect(await tile('Claims')).toHaveTextContent('14,760')
  })
})
