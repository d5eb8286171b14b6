// @ts-check
import '@testing-library/jest-dom/vitest'
import { configure } from '@testing-library/react'

configure({ asyncUtilTimeout: 10_000 }) // how long something may take to appear, on machines that do other things too

if (typeof window !== 'undefined') {
  // jsdom draws nothing, so it has none of these; Mantine asks for them.
  window.matchMedia ??= /** @type {any} */ (
    (/** @type {string} */ query) => ({
      matches: false,
      media: query,
      addEventListener() {},
      removeEventListener() {},
      addListener() {},
      removeListener() {},
    })
  )
  window.ResizeObserver ??= class {
    observe() {}
    unobserve() {}
    disconnect() {}
  }
  Element.prototype.scrollIntoView ??= () => undefined
}
