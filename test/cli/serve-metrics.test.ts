import { Registry } from 'prom-client'
import { expect, test } from 'vitest'
import { tellIsolation } from '../../src/cli/serve-metrics.ts'
import { type Logger, silentLogger } from '../../src/util/log.ts'

test('whether renders are cut off from the network is told at the start and as a metric', async () => {
  const warnings: string[] = []
  const log: Logger = Object.assign(Object.create(silentLogger), {
    warn: (_fields: object, message: string) => void warnings.push(message),
  })
  for (const [isolated, told] of [
    [true, 0],
    [false, 1],
  ] as const) {
    const registry = new Registry()
    await tellIsolation(registry, log, async () => isolated)
    expect(await registry.getSingleMetricAsString('offshoot_render_network_isolated')).toContain(isolated ? ' 1' : ' 0')
    expect(warnings).toHaveLength(told)
  }
})
