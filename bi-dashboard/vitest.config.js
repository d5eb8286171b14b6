// @ts-check
import { defineConfig } from 'vitest/config'
import react from '@vitejs/plugin-react'

process.env.TZ = 'UTC'

export default defineConfig({
  plugins: [react()],
  test: {
    testTimeout: 20_000, // a page draws itself whole, on machines that do other things too
    environment: 'node',
    environmentOptions: { jsdom: { url: 'http://127.0.0.1:8000/' } },
    include: ['tests/**/*.test.{js,jsx}'],
    setupFiles: ['tests/setup.js'],
    restoreMocks: true,
    maxWorkers: 2,
  },
})
