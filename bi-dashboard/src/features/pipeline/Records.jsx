// @ts-check
/** @import { Run, TableState } from '../../api/types.js' */
import { count, duration, plural } from '../../lib/format.js'
import { Figure, Figures } from '../../components/Page.jsx'
import classes from './Records.module.css'

/** Duration and records of a run that has ended. @param {{ run: Run }} props */
export function RunFigures({ run }) {
  const { records } = run
  return (
    <Figures>
      <Figure name="Duration">{duration(run.duration_s)}</Figure>
      <Figure name="Records in">{count(records?.in)}</Figure>
      <Figure name="Records out">{count(records?.out)}</Figure>
      <Figure name="Quarantined" title="Rows that broke a rule; they are kept apart with the rule's name">
        {count(records?.quarantined)}
      </Figure>
    </Figures>
  )
}

/** @param {TableState} table */
function versionWords({ version, version_before: before, version_after: after }) {
  const now = after ?? version
  if (now === null || now === undefined) return 'version unknown'
  if (before === undefined) return `v${now}`
  if (before === null) return `new, v${now}`
  return before === now ? `v${now}, unchanged` : `v${before} → v${now}`
}

/** "silver.claims" of "petinsure360.silver.claims". @param {string} name */
export const shortTable = (name) => name.split('.').slice(-2).join('.')

/** @param {TableState} table */
const schemaOf = (table) => table.name.split('.').at(-2) ?? ''

/** @param {TableState[]} tables */
const bySchema = (tables) =>
  [...new Set(tables.map(schemaOf))].map((schema) => ({
    schema,
    tables: tables.filter((table) => schemaOf(table) === schema),
  }))

/** @param {TableState[]} tables */
function tableWords(tables) {
  const changed = tables.filter((table) => table.version_before !== table.version_after).length
  const all = plural(tables.length, 'table')
  if (changed === tables.length) return `${all} written`
  return changed === 0 ? `${all}, none changed` : `${all}, ${changed} changed`
}

/** What has no name is left out. @param {TableState[] | null | undefined} tables */
const namedTables = (tables) => (tables ?? []).filter((table) => typeof table?.name === 'string')

/** The tables of a run in one line, each of them one click away. @param {{ tables: TableState[] | null | undefined }} props */
export function TablesInShort({ tables }) {
  const named = namedTables(tables)
  if (named.length === 0) return null
  return (
    <details className={classes.short}>
      <summary>{tableWords(named)}</summary>
      <TableVersions tables={named} />
    </details>
  )
}

/** The tables a run wrote, with the versions they had and have. @param {{ tables: TableState[] | null | undefined }} props */
export function TableVersions({ tables }) {
  const named = namedTables(tables)
  if (named.length === 0) return null
  return (
    <div className={classes.groups}>
      {bySchema(named).map(({ schema, tables: own }) => (
        <ul key={schema} className={classes.tables} aria-label={`Tables of ${schema}`}>
          {own.map((table) => (
            <li key={table.name} title={table.name}>
              <span className={classes.name}>{shortTable(table.name)}</span>
              <span className={classes.version}>{versionWords(table)}</span>
              <span className={classes.rows}>{table.rows == null ? '' : plural(table.rows, 'row')}</span>
            </li>
          ))}
        </ul>
      ))}
    </div>
  )
}
