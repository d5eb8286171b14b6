// @ts-check
import { useNow } from '../services/ticker.js'
import { ago, clockTime, dateTime, elapsed, parseInstant } from '../lib/format.js'

/** Ticks once a second until `to` is known. @param {{ from: string | null | undefined, to?: string | null }} props */
export function Elapsed({ from, to }) {
  const now = useNow()
  const start = parseInstant(from)
  if (start === null) return <>–</>
  return <span className="tabular">{elapsed(((parseInstant(to) ?? now) - start) / 1000)}</span>
}

/** "3 min ago", with the full date and time beside it or on hover. @param {{ at: string | null | undefined, absolute?: boolean }} props */
export function When({ at, absolute = false }) {
  const now = useNow()
  if (parseInstant(at) === null) return <span>never</span>
  return (
    <time dateTime={at ?? undefined} title={`${dateTime(at)} (${clockTime(at)})`}>
      {ago(at, now)}
      {absolute && (
        <span className="dimmed">
          <span data-dot aria-hidden="true">
            {' '}
            ·{' '}
          </span>
          {dateTime(at)}
        </span>
      )}
    </time>
  )
}
