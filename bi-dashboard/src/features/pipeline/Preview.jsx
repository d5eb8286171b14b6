// @ts-check
/** @import { Preview as PreviewAnswer, RunAction } from '../../api/types.js' */
import { useQuery } from '@tanstack/react-query'
import { estimateRange, plural } from '../../lib/format.js'
import { errorWords } from '../../components/Feedback.jsx'
import { previewQuery } from './api.js'
import classes from './Preview.module.css'

/** @param {string} cluster */
const clusterWords = (cluster) =>
  ({ warm: 'warm cluster', cold: 'cold start' })[cluster] ?? `cluster ${cluster}`

/** @param {PreviewAnswer} preview */
export function previewWords({ claims, tables, cluster, eta }) {
  return [
    claims === null || claims === undefined ? null : plural(claims, 'claim'),
    tables?.length ? plural(tables.length, 'table') : null,
    cluster ? clusterWords(cluster) : null,
    eta ? `about ${estimateRange(eta.p50_s, eta.p90_s)}` : 'no estimate yet',
  ].filter((part) => part !== null)
}

/** @param {PreviewAnswer} preview */
const tableNames = (preview) =>
  (preview.tables ?? []).map((table) => (typeof table === 'string' ? table : table.name)).join(', ')

/** What a click would do, said before it is made. @param {{ action: RunAction, claimIds: string[] }} props */
export function Preview({ action, claimIds }) {
  const { data, error } = useQuery(previewQuery(action, claimIds))
  if (error)
    return (
      <p className={classes.preview} title={errorWords(error)}>
        No preview: {errorWords(error)}
      </p>
    )
  return (
    <p className={classes.preview} title={data ? tableNames(data) : undefined}>
      {data ? previewWords(data).join(' · ') : '\u00a0'}
    </p>
  )
}
