import type { KubeClient } from '../../kube/client.ts'
import { Reader } from './reader.ts'

/** What Helm takes for the version offline: that of the client library kluctl 2.28.2 is built with (0.36). */
const defaultKubeVersion = '1.36.0'

/** What templates can ask of a cluster. */
export interface Capabilities {
  readonly kubeVersion: string
  readonly apiVersions: readonly string[]
}

/** The target's cluster as charts see it; asked at most once. */
export class Cluster {
  readonly client: KubeClient | undefined
  readonly #version: string | undefined
  #capabilities: Promise<Capabilities> | undefined
  #serverVersion: Promise<string> | undefined

  constructor(client: KubeClient | undefined, version: string | undefined) {
    this.client = client
    this.#version = version
  }

  /** The version and API versions for Helm. @throws KubeError */
  capabilities(signal: AbortSignal): Promise<Capabilities> {
    this.#capabilities ??= this.#ask(signal)
    return this.#capabilities
  }

  async #ask(signal: AbortSignal): Promise<Capabilities> {
    const { client } = this
    if (client === undefined) return { kubeVersion: this.#version ?? defaultKubeVersion, apiVersions: [] }
    const [version, resources] = await Promise.all([this.#askVersion(client, signal), client.allResources()])
    const { gitVersion } = JSON.parse(version) as { gitVersion: string }
    const apis = new Set(resources.flatMap(({ apiVersion, kind }) => [apiVersion, `${apiVersion}/${kind}`]))
    return { kubeVersion: this.#version ?? gitVersion, apiVersions: [...apis].sort() }
  }

  #askVersion(client: KubeClient, signal: AbortSignal): Promise<string> {
    this.#serverVersion ??= client.raw('/version', { signal })
    return this.#serverVersion
  }

  /** Does the work with something through which Helm can read objects of the cluster. @throws KubeError */
  async withReader<T>(work: (reader: Reader) => Promise<T>, signal: AbortSignal): Promise<T> {
    const { client } = this
    if (client === undefined) throw new TypeError('no cluster')
    await using reader = await Reader.start(client, await this.#askVersion(client, signal), signal)
    return await work(reader)
  }
}
