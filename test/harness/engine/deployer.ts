import { join } from 'node:path'
import { type DeployOptions, type DeployResult, deploy } from '../../../src/engine/cluster/deployment.ts'
import { findRemoteObjects, type RemoteObjects } from '../../../src/engine/cluster/remote-objects.ts'
import type { ClusterContext } from '../../../src/engine/cluster/types.ts'
import { withRenderedTarget } from '../../../src/engine/commands/run.ts'
import type { Progress } from '../../../src/engine/host.ts'
import { localHost } from '../../../src/engine/local/local-host.ts'
import { Problems } from '../../../src/engine/plan/problems.ts'
import { formatRef, refOf } from '../../../src/engine/plan/refs.ts'
import type { DeploymentError } from '../../../src/engine/plan/types.ts'
import type { KubeClient } from '../../../src/kube/client.ts'
import { type Clock, systemClock } from '../../../src/util/clock.ts'
import { silentLogger } from '../../../src/util/log.ts'
import type { TestProject } from '../../engine/harness/project.ts'

/** A deployment as a test looks at it. */
export interface Deployed {
  result: DeployResult
  remote: RemoteObjects
  /** `namespace/Kind/name: message`, in the order they came. */
  errors: string[]
  warnings: string[]
  /** What people were told meanwhile. */
  lines: string[]
}

/** What a test says about a deployment. */
export interface DeployRequest extends DeployOptions {
  kube: KubeClient
  discriminator?: string
  signal?: AbortSignal
  clock?: Clock
  /** Gets each line that people are told, as it comes. */
  onLine?: (line: string) => void
}

/** What work on the cluster needs, with what people are told kept in `lines`. */
export function testContext(
  { kube, signal, clock, onLine }: Omit<DeployRequest, keyof DeployOptions>,
  lines: string[] = [],
): ClusterContext {
  const tell = (line: string) => {
    lines.push(line)
    onLine?.(line)
  }
  const progress: Progress = { start: () => () => undefined, warn: tell, info: tell }
  return {
    kube,
    clock: clock ?? systemClock,
    random: Math.random,
    progress,
    problems: new Problems(),
    signal: signal ?? new AbortController().signal,
  }
}

/** Renders a project and deploys it, without the command line. */
export async function deployProject(project: TestProject, request: DeployRequest): Promise<Deployed> {
  const { kube, discriminator = '', ...options } = request
  const lines: string[] = []
  const context = testContext(request, lines)
  await using local = localHost({
    environment: { PATH: process.env.PATH, HOME: process.env.HOME },
    clock: systemClock,
    logger: silentLogger,
    progress: context.progress,
    cluster: kube,
  })
  const flags = { projectDir: join(project.folder), discriminator, env: {} }
  return withRenderedTarget(local.host, flags, AbortSignal.timeout(60_000), async ({ items }) => {
    const refs = items.flatMap(item => item.objects.map(refOf))
    const remote = await findRemoteObjects(context, { discriminator, refs })
    const result = await deploy(context, items, remote, options)
    return { result, remote, errors: shown(context.problems.errors), warnings: shown(context.problems.warnings), lines }
  })
}

/** Problems as people read them. */
export function shown(problems: readonly DeploymentError[]): string[] {
  return problems.map(({ ref, message }) => (ref.kind === '' ? message : `${formatRef(ref)}: ${message}`))
}
