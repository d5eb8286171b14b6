// @ts-check
import { useState } from 'react'
import { Button, SegmentedControl } from '@mantine/core'
import { download, toCsv } from '../../lib/csv.js'
import { Placeholder } from '../../components/Feedback.jsx'
import { Panel } from '../../components/Page.jsx'
import { useNear } from '../../components/useNear.js'
import classes from './ChartPanels.module.css'

export const CHART_HEIGHT = 260

/**
 * A chart that can also be read as a table and taken along as CSV. It is drawn when it comes near the window, or at once
 * when it is `light`.
 * @param {{ title: string, source: string, rows: any[], keys: string[], table: import('react').ReactNode,
 *   light?: boolean, children: import('react').ReactNode }} props  `keys` are the columns of the CSV
 */
export function ChartPanel({ title, source, rows, keys, table, light = false, children }) {
  const [view, setView] = useState('Chart')
  const [ref, near] = useNear()
  const save = () => download(`${title.toLowerCase().replaceAll(' ', '-')}.csv`, toCsv(keys, rows))
  const chart = near || light ? children : <Placeholder height={CHART_HEIGHT} label="Loading the chart" />
  return (
    <Panel
      title={title}
      aside={
        <>
          <span className={classes.source}>{source}</span>
          <SegmentedControl
            size="xs"
            data={['Chart', 'Table']}
            value={view}
            onChange={setView}
            aria-label={`${title}: chart or table`}
          />
          <Button variant="default" size="xs" onClick={save}>
            CSV<span className="hidden-text"> of {title}</span>
          </Button>
        </>
      }
    >
      <div ref={ref} className={classes.body} style={light ? undefined : { minHeight: CHART_HEIGHT }}>
        {view === 'Chart' ? chart : table}
      </div>
    </Panel>
  )
}
