// @ts-check
/** @import { Run } from '../../api/types.js' */
import { Link } from 'react-router'
import { IconExternalLink } from '@tabler/icons-react'
import { isAccepted } from '../../lib/runStates.js'

/** Addresses come from the workspace; only web pages are opened. @param {string | null | undefined} url */
export function webPage(url) {
  try {
    return url && ['http:', 'https:'].includes(new URL(url, window.location.href).protocol) ? url : null
  } catch {
    return null
  }
}

/** The run's page in the workspace. @param {{ run: Run }} props */
export function OpenRun({ run }) {
  const href = webPage(run.job_url)
  if (!href) return null
  return (
    <a
      href={href}
      target="_blank"
      rel="noopener noreferrer"
      className="row"
      style={{ gap: 4, minHeight: 24 }}
    >
      Open run <IconExternalLink aria-hidden="true" size={15} stroke={1.8} />
      <span className="hidden-text">(opens in a new tab)</span>
    </a>
  )
}

/** The run's page in this dashboard. @param {{ run: Run }} props */
export function RunLink({ run }) {
  if (!isAccepted(run)) return <span>Not a run yet</span>
  return <Link to={`/runs/${run.run_id}`}>Run {run.run_id}</Link>
}
