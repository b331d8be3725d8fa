// npm run test:fast: what Node alone can judge within a minute or two. The rest of the unit tests runs with `npm test`.
import { defineConfig } from 'vitest/config'

/** Compared with real Jinja2, in Python. */
const python = ['test/jinja/conformance/**', 'test/jinja/fuzz/**', 'test/jinja/yaml/**']

/** Run helm, kustomize or git, or a process for each test. */
const processes = [
  'test/engine/helm/**',
  'test/engine/kustomize/**',
  'test/engine/worker/**',
  'test/engine/golden.test.ts',
  'test/engine/sources.test.ts',
  'test/engine/targets.test.ts',
  'test/backend/project-source.test.ts',
  'test/chart/**',
  'test/cli/check-kluctl.test.ts',
  'test/demo/**',
]

export default defineConfig({
  test: {
    include: ['test/**/*.test.ts'],
    exclude: ['test/cluster/**', 'test/browser/**', ...python, ...processes],
    testTimeout: 20_000,
  },
})
