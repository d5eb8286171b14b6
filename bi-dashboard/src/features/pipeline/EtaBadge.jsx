// @ts-check
/** @import { Run } from '../../api/types.js' */
import { estimateRange, parseInstant } from '../../lib/format.js'
import { useNow } from '../../services/ticker.js'

/** The estimate was true at `eta_at`; what has passed since is taken off. @param {Run} run @param {number} now */
export function remaining(run, now) {
  const at = parseInstant(run.eta_at)
  if (!run.eta || at === null) return null
  const passed = Math.max(0, (now - at) / 1000)
  return { p50_s: Math.max(0, run.eta.p50_s - passed), p90_s: run.eta.p90_s - passed, n: run.eta.n }
}

/** Time left as a range; nothing while it is not known. @param {{ run: Run }} props */
export function EtaBadge({ run }) {
  const left = remaining(run, useNow())
  if (!left) return null
  const basis = `Half of ${left.n} comparable runs end before the first figure, nine in ten before the second.`
  if (left.p90_s <= 0) return <span title={basis}>Taking longer than usual</span>
  return (
    <span title={basis}>
      About <b className="tabular">{estimateRange(left.p50_s, left.p90_s)}</b> left
      {run.eta_cause && <span className="dimmed"> · set up: {run.eta_cause.message}</span>}
    </span>
  )
}
