// @ts-check
/** @import { FigurePage } from './figurePage.js' */
import { useCallback, useMemo } from 'react'
import { useSearchParams } from 'react-router'

/** What the address asks of a page of figures: filters and the order of its list. @param {FigurePage} page */
export function useAsked(page) {
  const [search, setSearch] = useSearchParams()
  const text = search.toString()
  const asked = useMemo(() => {
    const given = new URLSearchParams(text)
    const names = [...page.filters.map((filter) => filter.name), 'sort']
    return Object.fromEntries(
      names.flatMap((name) => (given.get(name) ? [[name, given.get(name) ?? '']] : [])),
    )
  }, [page, text])
  const set = useCallback(
    (/** @type {string} */ name, /** @type {string} */ value) =>
      setSearch(
        (current) => {
          const next = new URLSearchParams(current)
          if (value) next.set(name, value)
          else next.delete(name)
          return next
        },
        { preventScrollReset: true },
      ),
    [setSearch],
  )
  const clear = useCallback(() => setSearch({}), [setSearch])
  const filtered = page.filters.some(({ name }) => asked[name])
  return { asked, set, clear, filtered }
}
