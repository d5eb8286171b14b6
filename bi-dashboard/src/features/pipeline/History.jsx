// @ts-check
/** @import { Filter } from './HistoryFilter.jsx' */
import { useInfiniteQuery } from '@tanstack/react-query'
import { Button } from '@mantine/core'
import { EmptyState, ErrorState, Placeholder } from '../../components/Feedback.jsx'
import { Panel } from '../../components/Page.jsx'
import { historyQuery } from './api.js'
import { matches, withLive } from './history.js'
import { RunRows } from './RunRows.jsx'
import { useRuns } from './useRunStream.jsx'

/** Pages of past runs, kept true by the stream. @param {{ filter: Filter, onClear: () => void }} props */
export function History({ filter, onClear }) {
  const { data, error, isPending, refetch, hasNextPage, isFetchingNextPage, fetchNextPage } =
    useInfiniteQuery(historyQuery(filter))
  const { all } = useRuns()
  if (isPending && filter.state !== 'active') return <Placeholder height={420} label="Loading the history" />
  if (error && !data)
    return <ErrorState title="The history could not be read" error={error} onRetry={() => void refetch()} />
  const fetched = data?.pages.flatMap((page) => page.runs) ?? []
  const runs = withLive(
    fetched,
    all.filter((run) => matches(run, filter)),
  )
  if (runs.length === 0) return <NoRuns filtered={Boolean(filter.layer || filter.state)} onClear={onClear} />
  return (
    <Panel label="Runs">
      <RunRows runs={runs} caption="Runs, newest first" />
      {hasNextPage && (
        <Button variant="default" mt={14} loading={isFetchingNextPage} onClick={() => void fetchNextPage()}>
          Show older runs
        </Button>
      )}
    </Panel>
  )
}

/** @param {{ filtered: boolean, onClear: () => void }} props */
function NoRuns({ filtered, onClear }) {
  if (!filtered)
    return <EmptyState title="No run yet">The first click on the Pipeline page makes one.</EmptyState>
  const clear = (
    <Button variant="default" onClick={onClear}>
      Clear the filter
    </Button>
  )
  return <EmptyState title="No run matches" action={clear} />
}
