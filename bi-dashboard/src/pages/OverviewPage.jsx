// @ts-check
import { useQuery } from '@tanstack/react-query'
import { ErrorState, Placeholder } from '../components/Feedback.jsx'
import { PageHeader } from '../components/Page.jsx'
import { AllMonths } from '../features/insights/AllMonths.jsx'
import { AsOf } from '../features/insights/AsOf.jsx'
import { monthlyQuery, overviewQuery } from '../features/insights/api.js'
import { ChartPanels } from '../features/insights/ChartPanels.jsx'
import { KpiTiles } from '../features/insights/KpiTiles.jsx'
import { LakeNotice } from '../features/pipeline/LakeNotice.jsx'
import { Underway } from '../features/pipeline/Underway.jsx'
import { NoFiguresYet } from './NoFiguresYet.jsx'

/** The book of business in five figures and their months. */
export default function OverviewPage() {
  const overview = useQuery(overviewQuery)
  const { data } = overview
  return (
    <>
      <PageHeader
        title="Overview"
        summary={
          data?.as_of ? <AsOf asOf={data.as_of} valuedOn={data.valued_on} /> : 'Figures from the gold layer'
        }
      />
      {overview.isPending && <Loading />}
      {overview.error && !data && (
        <ErrorState
          title="The figures could not be read"
          error={overview.error}
          onRetry={() => void overview.refetch()}
        />
      )}
      <LakeNotice />
      {data && !data.as_of && (
        <Underway title="The figures are being made" outline={<Loading />}>
          <NoFiguresYet />
        </Underway>
      )}
      {data?.as_of && (
        <>
          <KpiTiles overview={data} />
          <ChartPanels overview={data} />
          <EveryFigure />
        </>
      )}
    </>
  )
}

const Loading = () => (
  <>
    <Placeholder height={190} label="Loading the key figures" />
    <Placeholder height={340} label="Loading the charts" />
  </>
)

function EveryFigure() {
  const { data, error, isPending, refetch } = useQuery(monthlyQuery)
  if (isPending) return <Placeholder height={340} label="Loading the months" />
  if (error)
    return <ErrorState title="The months could not be read" error={error} onRetry={() => void refetch()} />
  return <AllMonths months={data.months} />
}
