// @ts-check
import { readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { defineConfig } from 'vite'
import react from '@vitejs/plugin-react'

const backend = process.env.PETINSURE_URL ?? 'http://127.0.0.1:8000'

/** Libraries in files of their own, so that a change of ours does not make browsers fetch them again. */
const vendorGroups = [
  { name: 'react', test: /node_modules[\\/](react|react-dom|scheduler)[\\/]/, priority: 30 },
  { name: 'router', test: /node_modules[\\/]react-router[\\/]/, priority: 20 },
  { name: 'tanstack', test: /node_modules[\\/]@tanstack[\\/](react-query|query-core)[\\/]/, priority: 20 },
  {
    name: 'mantine',
    test: /node_modules[\\/](@mantine[\\/](core|hooks|notifications|store)|@floating-ui|clsx|react-remove-scroll|react-number-format|react-textarea-autosize|react-transition-group|tabbable)/,
    priority: 20,
  },
  {
    name: 'charts',
    test: /node_modules[\\/](@mantine[\\/]charts|recharts|d3-|victory-vendor)/,
    priority: 20,
  },
]

const SWAGGER_FILES = ['swagger-ui-bundle.js', 'swagger-ui-bundle.js.LICENSE.txt', 'swagger-ui.css']

/** The files of the API reference, as they are: the server's page at /api/docs loads them from here and nowhere else. @returns {import('vite').Plugin} */
const apiReference = () => ({
  name: 'api-reference',
  apply: 'build',
  generateBundle() {
    const { resolve } = createRequire(import.meta.url)
    for (const name of SWAGGER_FILES)
      this.emitFile({
        type: 'asset',
        fileName: `api-docs/${name}`,
        source: readFileSync(resolve(`swagger-ui-dist/${name}`)),
      })
  },
})

export default defineConfig({
  plugins: [react(), apiReference()],
  server: {
    host: '127.0.0.1',
    proxy: {
      '/api': { target: backend },
      '/ws': { target: backend, ws: true },
    },
  },
  build: {
    outDir: 'dist',
    target: 'es2022',
    assetsInlineLimit: 0,
    rolldownOptions: { output: { codeSplitting: { groups: vendorGroups } } },
  },
})
