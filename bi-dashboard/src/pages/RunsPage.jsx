// @ts-check
import { useSearchParams } from 'react-router'
import { PageHeader } from '../components/Page.jsx'
import { EstimateQuality } from '../features/pipeline/EstimateQuality.jsx'
import { History } from '../features/pipeline/History.jsx'
import { HistoryFilter } from '../features/pipeline/HistoryFilter.jsx'

/** Every run there ever was, newest first; the filter stands in the address. */
export default function RunsPage() {
  const [search, setSearch] = useSearchParams()
  const filter = { layer: search.get('layer'), state: search.get('state') }
  /** @param {string} name @param {string} value */
  const choose = (name, value) =>
    setSearch((current) => {
      const next = new URLSearchParams(current)
      if (value) next.set(name, value)
      else next.delete(name)
      return next
    })
  return (
    <>
      <PageHeader
        title="Runs"
        summary="The history of the pipeline, newest first"
        actions={<HistoryFilter filter={filter} onChoose={choose} />}
      />
      <History filter={filter} onClear={() => setSearch({})} />
      <EstimateQuality />
    </>
  )
}
