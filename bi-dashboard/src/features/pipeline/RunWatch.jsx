// @ts-check
/** @import { Run } from '../../api/types.js' */
import { useEffect, useRef, useState } from 'react'
import { useLocation, useNavigate } from 'react-router'
import { Button, VisuallyHidden } from '@mantine/core'
import { notifications } from '@mantine/notifications'
import { isAccepted, isActive, runFace, succeeded } from '../../lib/runStates.js'
import { changes, runName } from './announcements.js'
import { useRefresh } from './useRefresh.js'
import { useLive } from './useRunStream.jsx'

/** @param {Run} run */
const toastOf = (run) => `failed-${run.run_id ?? run.submission_id}`

/** @param {Run} run @param {() => void} look */
function failureToast(run, look) {
  const id = toastOf(run)
  const open = () => {
    notifications.hide(id)
    look()
  }
  notifications.show({
    id,
    color: 'red',
    autoClose: false,
    title: `${runName(run)}: ${runFace(run).word}`,
    message: (
      <>
        {run.error?.message ?? 'The workspace gave no reason.'}
        <Button size="compact-sm" variant="default" mt={8} display="block" onClick={open}>
          Show the run
        </Button>
      </>
    ),
  })
}

/** @param {Run} run */
const pageOf = (run) => (isAccepted(run) ? `/runs/${run.run_id}` : '/pipeline')

/** The page says it itself, and a toast would only cover it. @param {Run} run @param {string} pathname */
const isShown = (run, pathname) => pathname === '/pipeline' || pathname === pageOf(run)

/** Speaks of runs to screen readers, keeps failures on screen and refreshes what a run has changed. Draws nothing. */
export function RunWatch() {
  const runs = useLive((state) => state.runs)
  const known = useLive((state) => state.seq !== null)
  const seen = useRef(/** @type {Record<string, Run> | null} */ (null))
  const [message, setMessage] = useState({ polite: '', alert: '' })
  const navigate = useNavigate()
  const { pathname } = useLocation()
  const address = useRef(pathname)
  useEffect(() => {
    address.current = pathname
  }, [pathname])
  const refresh = useRefresh()

  const lake = useLive((state) => state.lake)
  const lakeSeen = useRef(0)
  useEffect(() => {
    if (lakeSeen.current !== 0 && lake !== lakeSeen.current) refresh()
    lakeSeen.current = lake
  }, [lake, refresh])

  useEffect(() => {
    const before = seen.current
    if (!known) return
    seen.current = runs
    if (before === null || before === runs) return
    const { ended, news } = changes(before, runs)
    if (ended.length > 0) refresh()
    const failed = ended.filter((run) => !succeeded(run) && run.result !== 'CANCELED')
    failed
      .filter((run) => !isShown(run, address.current))
      .forEach((run) => failureToast(run, () => navigate(pageOf(run))))
    Object.values(runs)
      .filter((run) => (run.attempt ?? 0) > 0 && isActive(run))
      .forEach((run) => notifications.hide(toastOf(run))) // it is being repaired
    if (news.length === 0) return
    const text = news.map((item) => item.text).join(' ')
    setMessage(failed.length > 0 ? { polite: '', alert: text } : { polite: text, alert: '' })
  }, [runs, known, navigate, refresh])

  return (
    <VisuallyHidden>
      <div aria-live="polite" role="status">
        {message.polite}
      </div>
      <div role="alert">{message.alert}</div>
    </VisuallyHidden>
  )
}
