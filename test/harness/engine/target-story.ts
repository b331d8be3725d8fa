import { parse } from 'yaml'
import { type CompactedObject, expandObjects } from '../../../src/engine/result/compact.ts'
import type { CommandResult } from '../../../src/engine/result/types.ts'
import type { KubeObject } from '../../../src/kube/types.ts'
import { configMap, type Outcome, offshoot, type Surroundings, TestProject } from '../../engine/harness/project.ts'
import { adminClient, adminKubeconfig, uniqueNamespace } from '../cluster.ts'

/** A ConfigMap as a story looks at it. */
export type ConfigMap = KubeObject & { data?: Record<string, string> }

/** A Deployment without pods, whose image is that of `get_image` for `app`. */
export function deploymentOfImage(name: string, namespace: string): string {
  return `apiVersion: apps/v1
kind: Deployment
metadata: {name: ${name}, namespace: ${namespace}}
spec:
  replicas: 0
  selector: {matchLabels: {app: ${name}}}
  template:
    metadata: {labels: {app: ${name}}}
    spec: {containers: [{name: main, image: '{{ images.get_image("app") }}'}]}
`
}

/**
 * A Kluctl project with one target and a namespace of its own, and what the command line does with it. Every item is
 * a folder with one ConfigMap of the same name.
 */
export class TargetStory implements AsyncDisposable {
  readonly namespace: string
  readonly project: TestProject
  readonly #items: Record<
    string,
    { data: Record<string, string>; tags: string[]; annotations: Record<string, string> }
  > = {}

  private constructor(namespace: string, project: TestProject) {
    this.namespace = namespace
    this.project = project
  }

  static async of(prefix: string): Promise<TargetStory> {
    const namespace = await uniqueNamespace(prefix)
    return new TargetStory(namespace, await TestProject.of({ '.kluctl.yaml': `discriminator: ${namespace}\n` }))
  }

  /** Adds an item, or changes its ConfigMap. */
  async item(
    name: string,
    data: Record<string, string> = {},
    more: { tags?: string[]; annotations?: Record<string, string> } = {},
  ): Promise<this> {
    this.#items[name] = { data, tags: more.tags ?? [name], annotations: more.annotations ?? {} }
    return this.write()
  }

  async remove(name: string): Promise<this> {
    delete this.#items[name]
    return this.write()
  }

  /** Writes the items, and other files besides; those of the deployment begin with `- path: …`. */
  async write(files: Record<string, string> = {}, deployments = ''): Promise<this> {
    const own = Object.entries(this.#items).map(([name, { data, annotations }]) => {
      const metadata = `  namespace: ${this.namespace}\n  annotations: ${JSON.stringify(annotations)}\n`
      return [`${name}/map.yaml`, configMap(name, data, metadata)]
    })
    const list = Object.entries(this.#items).map(
      ([name, { tags }]) => `- path: ${name}\n  tags: [${tags.join(', ')}]\n`,
    )
    const deployment = `deployments:\n${list.join('')}${deployments}`
    await this.project.write({ ...Object.fromEntries(own), 'deployment.yaml': deployment, ...files })
    return this
  }

  /** Runs a command on the project and the shared cluster. */
  run(
    args: readonly string[],
    env: Record<string, string> = {},
    typed?: string,
    around: Surroundings = {},
  ): Promise<Outcome> {
    const where = ['--project-dir', this.project.folder, '--kubeconfig', adminKubeconfig()]
    return offshoot([...where, ...args], env, typed, around)
  }

  /** Runs a command that changes something, without asking and without keeping its result; it must succeed. */
  async must(...args: string[]): Promise<Outcome> {
    const outcome = await this.run([...args, '--yes', '--write-command-result=false'])
    if (outcome.code !== 0) throw new Error(`${args.join(' ')}: ${outcome.stderr}${outcome.stdout}`)
    return outcome
  }

  /** The result that a command prints as YAML. */
  async result(...args: string[]): Promise<CommandResult> {
    return resultOf(await this.must(...args, '-o', 'yaml'))
  }

  /** The result of a diff, which must succeed. */
  async diff(...flags: string[]): Promise<CommandResult> {
    const outcome = await this.run(['diff', ...flags, '-o', 'yaml'])
    if (outcome.code !== 0) throw new Error(`diff: ${outcome.stderr}${outcome.stdout}`)
    return resultOf(outcome)
  }

  map(name: string): Promise<ConfigMap | undefined> {
    return adminClient().get<ConfigMap>({ apiVersion: 'v1', kind: 'ConfigMap', name, namespace: this.namespace })
  }

  /** Names of the target's ConfigMaps that are on the cluster. */
  async maps(): Promise<string[]> {
    const labelSelector = `kluctl.io/discriminator=${this.namespace}`
    const { items } = await adminClient().list({ apiVersion: 'v1', kind: 'ConfigMap' }, { labelSelector })
    return items.map(({ metadata }) => metadata.name ?? '').sort()
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.project[Symbol.asyncDispose]()
  }
}

function resultOf({ stdout }: Outcome): CommandResult {
  const { compactedObjects = [], ...rest } = parse(stdout) as CommandResult & { compactedObjects?: CompactedObject[] }
  return { ...rest, objects: expandObjects(compactedObjects) }
}
