// @ts-check
/** Fails when the built dashboard is larger than its budget (gzip). Run after `vite build`. */
import { readFileSync, readdirSync } from 'node:fs'
import { join } from 'node:path'
import { gzipSync } from 'node:zlib'

const KB = 1000
const budgets = {
  'initial JS': 220 * KB,
  'initial CSS': 20 * KB,
  'largest lazy chunk': 125 * KB,
  font: 50 * KB,
  'app chunk': 40 * KB,
}
const dist = new URL('../dist/', import.meta.url).pathname
const html = readFileSync(join(dist, 'index.html'), 'utf8')
const assets = readdirSync(join(dist, 'assets'))

/** @param {string} name */
const gzipped = (name) => gzipSync(readFileSync(join(dist, 'assets', name)), { level: 9 }).length
/** @param {string[]} names */
const total = (names) => names.reduce((bytes, name) => bytes + gzipped(name), 0)

const initial = assets.filter((name) => html.includes(`/assets/${name}`))
const lazy = assets.filter((name) => name.endsWith('.js') && !initial.includes(name))
const fonts = assets.filter((name) => name.endsWith('.woff2') && html.includes(`/assets/${name}`))
const sizes = {
  'initial JS': total(initial.filter((name) => name.endsWith('.js'))),
  'initial CSS': total(initial.filter((name) => name.endsWith('.css'))),
  'largest lazy chunk': Math.max(0, ...lazy.map(gzipped)),
  font: fonts.reduce((bytes, name) => bytes + readFileSync(join(dist, 'assets', name)).length, 0),
  'app chunk': total(initial.filter((name) => /^index-.*\.js$/.test(name))),
}

let failed = fonts.length !== 1
if (failed) process.stdout.write(`FAIL  exactly one preloaded font is expected, found ${fonts.length}\n`)
for (const [what, limit] of Object.entries(budgets)) {
  const bytes = sizes[/** @type {keyof typeof sizes} */ (what)]
  const over = bytes > limit
  failed ||= over
  process.stdout.write(
    `${over ? 'FAIL' : 'ok  '}  ${what.padEnd(20)} ${(bytes / KB).toFixed(1).padStart(7)} kB of ${limit / KB} kB\n`,
  )
}
process.exit(failed ? 1 : 0)
