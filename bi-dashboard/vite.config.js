// @ts-check
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

export default defineConfig({
  plugins: [react()],
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
