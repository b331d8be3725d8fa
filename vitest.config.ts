import { defineConfig } from 'vitest/config'

export default defineConfig({
  test: {
    projects: [
      {
        test: {
          name: 'unit',
          include: ['test/**/*.test.ts'],
          exclude: ['test/cluster/**', 'test/browser/**'],
          testTimeout: 20_000,
        },
      },
      {
        test: {
          name: 'cluster',
          include: ['test/cluster/**/*.test.ts'],
          globalSetup: ['test/harness/control-plane/global-setup.ts'],
          // Every wait has a deadline of its own that says what was waited for; this is for what has none.
          testTimeout: 300_000,
          hookTimeout: 180_000,
        },
      },
    ],
  },
})
