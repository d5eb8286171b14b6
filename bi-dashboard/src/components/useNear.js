// @ts-check
import { useEffect, useRef, useState } from 'react'

/** True once the element was near the screen and the browser had a moment: for what is heavy and below the fold. */
export function useNear() {
  const ref = useRef(/** @type {HTMLDivElement | null} */ (null))
  const [near, setNear] = useState(typeof IntersectionObserver === 'undefined')
  useEffect(() => {
    if (near || !ref.current) return
    const idle = window.requestIdleCallback ?? ((/** @type {() => void} */ run) => window.setTimeout(run, 1))
    const observer = new IntersectionObserver(
      (entries) => entries.some((entry) => entry.isIntersecting) && idle(() => setNear(true)),
      { rootMargin: '200px' },
    )
    observer.observe(ref.current)
    return () => observer.disconnect()
  }, [near])
  return /** @type {const} */ ([ref, near])
}
