// @ts-check
/** @import { AsOf as AsOfShape } from '../../api/types.js' */
import { Link } from 'react-router'
import { day } from '../../lib/format.js'

/** Which run and which table versions the figures come from. @param {{ asOf: AsOfShape | null | undefined, valuedOn?: string | null }} props */
export function AsOf({ asOf, valuedOn }) {
  if (!asOf) return null
  const tables = asOf.tables.map(
    (table) => `${table.name.split('.').slice(-2).join('.')} v${table.version ?? '?'}`,
  )
  return (
    <span title={tables.join(', ')}>
      as of{' '}
      {asOf.run_id === null ? 'an unknown run' : <Link to={`/runs/${asOf.run_id}`}>run {asOf.run_id}</Link>}
      {tables.length > 0 && ` · ${tables[0]}`}
      {valuedOn && ` · valued on ${day(valuedOn)}`}
    </span>
  )
}
