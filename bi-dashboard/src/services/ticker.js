// @ts-check
import { useSyncExternalStore } from 'react'
import { serverClock } from './serverClock.js'

/** @type {Set<() => void>} */
const listeners = new Set()
/** @type {ReturnType<typeof setInterval> | undefined} */
let timer
let current = serverClock.now()

function tick() {
  current = serverClock.now()
  for (const listener of listeners) listener()
}

/** @param {() => void} listener */
function subscribe(listener) {
  listeners.add(listener)
  if (listeners.size === 1) {
    current = serverClock.now()
    timer = setInterval(tick, 1000)
  }
  return () => {
    listeners.delete(listener)
    if (listeners.size === 0) clearInterval(timer)
  }
}

/** The server's time in milliseconds, once a second; one timer for the whole page, none when nobody looks. */
export function useNow() {
  return useSyncExternalStore(subscribe, () => current)
}
