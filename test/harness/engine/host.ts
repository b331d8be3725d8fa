import type { EngineHost, Policy } from '../../../src/engine/host.ts'
import { allowAll } from '../../../src/engine/host.ts'
import { Templates } from '../../../src/engine/templating/templates.ts'
import { emptyObject, type Json, type JsonObject } from '../../../src/engine/values.ts'
import { VarsLoader } from '../../../src/engine/vars/loader.ts'
import type { AwsConfig } from '../../../src/engine/vars/source.ts'
import type { KubeClient } from '../../../src/kube/client.ts'
import { systemClock } from '../../../src/util/clock.ts'
import { silentLogger } from '../../../src/util/log.ts'

/** What a test changes of the world around `vars`. */
export interface VarsWorld {
  environment?: Record<string, string | undefined>
  cluster?: KubeClient
  policy?: Policy
  aws?: AwsConfig
  variables?: JsonObject
  signal?: AbortSignal
}

/** A host whose parts that a test does not name throw when they are used. */
export function testHost(world: VarsWorld & { warnings?: string[] }): EngineHost {
  const unused = () => {
    throw new Error('this test does not expect that part of the host to be used')
  }
  return {
    environment: world.environment ?? {},
    cluster: world.cluster,
    git: { checkout: unused, listRefs: unused },
    oci: { pull: unused },
    helm: { render: unused, outputPath: unused },
    kustomize: { build: unused },
    sops: { decrypt: unused },
    cacheFolder: '',
    clock: { ...systemClock, sleep: () => Promise.resolve() },
    logger: silentLogger,
    progress: {
      start: () => () => undefined,
      warn: message => void world.warnings?.push(message),
      info: () => undefined,
    },
    policy: world.policy ?? allowAll,
    parallelism: 1,
  }
}

/** Loads a list of `vars` as a deployment would, and gives the variables (as plain JSON) and warnings. */
export async function loadVars(
  entries: readonly Record<string, unknown>[],
  world: VarsWorld = {},
): Promise<{ variables: Json; sensitive: boolean[]; warnings: string[] }> {
  const warnings: string[] = []
  const signal = world.signal ?? new AbortController().signal
  const templates = new Templates({ within: [], signal, now: () => 0 })
  const loader = new VarsLoader({ host: testHost({ ...world, warnings }), templates, aws: world.aws, signal })
  const { variables, loaded } = await loader.load(entries as never, world.variables ?? emptyObject(), [])
  return {
    variables: JSON.parse(JSON.stringify(variables)) as Json,
    sensitive: loaded.map(one => one.sensitive),
    warnings,
  }
}
