// @ts-check
/** @import { FigurePage } from '../features/insights/figurePage.js' */
import { useInfiniteQuery, useQuery } from '@tanstack/react-query'
import { Button } from '@mantine/core'
import { EmptyState, ErrorState, Placeholder } from '../components/Feedback.jsx'
import { PageHeader } from '../components/Page.jsx'
import { AsOf } from '../features/insights/AsOf.jsx'
import { figuresQuery, overviewQuery } from '../features/insights/api.js'
import { BreakdownPanel } from '../features/insights/Breakdowns.jsx'
import classes from '../features/insights/ChartPanels.module.css'
import { ClaimMonths } from '../features/insights/ClaimMonths.jsx'
import { FigureTiles } from '../features/insights/FigureTiles.jsx'
import { FilterBar } from '../features/insights/FilterBar.jsx'
import { RowList } from '../features/insights/RowList.jsx'
import { useAsked } from '../features/insights/useAsked.js'
import { LakeNotice } from '../features/pipeline/LakeNotice.jsx'
import { Underway } from '../features/pipeline/Underway.jsx'
import { NoFiguresYet } from './NoFiguresYet.jsx'

/** One gold table (or two) as figures, bars and a list; filters and order stand in the address. @param {{ page: FigurePage }} props */
export function FiguresPage({ page }) {
  const { asked, set, clear, filtered } = useAsked(page)
  const query = useInfiniteQuery(figuresQuery(page.name, asked))
  const figures = query.data?.pages[0]
  return (
    <>
      <PageHeader
        title={page.title}
        summary={figures?.as_of ? <AsOf asOf={figures.as_of} /> : page.summary}
      />
      <LakeNotice />
      {query.isPending && <Loading />}
      {query.error && (
        <ErrorState
          title={figures ? 'The newest figures could not be read' : 'The figures could not be read'}
          error={query.error}
          onRetry={() => void query.refetch()}
        />
      )}
      {query.error && !figures && (filtered || asked.sort) && (
        <Button variant="default" onClick={clear} style={{ alignSelf: 'flex-start' }}>
          Clear the filters
        </Button>
      )}
      {figures && !figures.as_of && (
        <Underway title="The figures are being made" outline={<Loading />}>
          <NoFiguresYet />
        </Underway>
      )}
      {figures?.as_of && (
        <>
          <FilterBar
            page={page}
            options={figures.options}
            asked={asked}
            filtered={filtered}
            onChoose={set}
            onClear={clear}
          />
          <Content
            page={page}
            query={query}
            asked={asked}
            filtered={filtered}
            onChoose={set}
            onClear={clear}
          />
        </>
      )}
    </>
  )
}

/**
 * @param {{ page: FigurePage, query: any, asked: Record<string, string>, filtered: boolean,
 *   onChoose: (name: string, value: string) => void, onClear: () => void }} props
 */
function Content({ page, query, asked, filtered, onChoose, onClear }) {
  const valuedOn = useQuery({ ...overviewQuery, enabled: page.monthly === true }).data?.valued_on
  /** @type {(import('../api/types.js').Figures & Record<string, any>)[]} */
  const pages = query.data.pages
  const [figures] = pages
  if (!figures) return null
  const rows = pages.flatMap((part) => part.top)
  if (rows.length === 0) return <NothingMatches page={page} filtered={filtered} onClear={onClear} />
  return (
    <div className="stack" aria-busy={query.isPlaceholderData || undefined}>
      <FigureTiles page={page} figures={figures} filtered={filtered} valuedOn={valuedOn} />
      <div className={classes.grid}>
        {page.monthly && (
          <ClaimMonths
            rows={figures.by_month}
            source={page.source}
            currency={figures.currency}
            valuedOn={valuedOn}
          />
        )}
        {page.breakdowns.map((breakdown) => (
          <BreakdownPanel
            key={breakdown.part}
            page={page}
            breakdown={breakdown}
            rows={figures[breakdown.part]}
            asked={asked}
            onChoose={onChoose}
          />
        ))}
      </div>
      <RowList
        page={page}
        rows={rows}
        matching={figures.matching}
        listed={figures.listed}
        asked={asked}
        onSort={(sort) => onChoose('sort', sort)}
        onMore={query.hasNextPage ? () => void query.fetchNextPage() : null}
        loading={query.isFetchingNextPage}
      />
    </div>
  )
}

/** @param {{ page: FigurePage, filtered: boolean, onClear: () => void }} props */
function NothingMatches({ page, filtered, onClear }) {
  const clear = (
    <Button variant="default" onClick={onClear}>
      Clear the filters
    </Button>
  )
  return <EmptyState title={page.nothing} action={filtered ? clear : undefined} />
}

const Loading = () => (
  <>
    <Placeholder height={58} label="Loading the filters" />
    <Placeholder height={150} label="Loading the key figures" />
    <Placeholder height={340} label="Loading the charts" />
  </>
)
