import { noSuchPath } from '../errors.ts'
import { builtInResources, type Resource } from './resource.ts'

/** Every kind that is served now: the built-in ones and those of CustomResourceDefinitions. */
export class Registry {
  readonly #byPath = new Map<string, Resource>()
  readonly #byKind = new Map<string, Resource>()
  readonly #definitions = new Map<string, readonly Resource[]>()
  #generation = 0

  constructor() {
    for (const resource of builtInResources()) this.#add(resource)
  }

  /** Changes whenever the kinds do. */
  get generation(): number {
    return this.#generation
  }

  all(): Resource[] {
    return [...this.#byPath.values()]
  }

  /** @throws StatusError (404) */
  byPath(group: string, version: string, plural: string): Resource {
    const found = this.#byPath.get(`${group}/${version}/${plural}`)
    if (!found) throw noSuchPath()
    return found
  }

  byKind(apiVersion: string, kind: string): Resource | undefined {
    return this.#byKind.get(`${apiVersion} ${kind}`)
  }

  /** A built-in kind of the sandbox's own code. */
  builtIn(apiVersion: string, kind: string): Resource {
    const found = this.byKind(apiVersion, kind)
    if (!found) throw new TypeError(`no built-in kind ${apiVersion} ${kind}`)
    return found
  }

  /** One resource for each kind of objects, for whoever looks at everything that is stored. */
  stored(): Resource[] {
    const found = new Map<string, Resource>()
    for (const resource of this.#byPath.values()) {
      if (resource.verbs.includes('list') && !found.has(resource.storage)) found.set(resource.storage, resource)
    }
    return [...found.values()]
  }

  /** Serves a definition's kinds, in place of those it had before. */
  define(definition: string, resources: readonly Resource[]): void {
    this.forget(definition)
    for (const resource of resources) this.#add(resource)
    this.#definitions.set(definition, resources)
  }

  /** Stops serving a definition's kinds. */
  forget(definition: string): void {
    for (const resource of this.#definitions.get(definition) ?? []) {
      this.#byPath.delete(`${resource.group}/${resource.version}/${resource.plural}`)
      this.#byKind.delete(`${resource.apiVersion} ${resource.kind}`)
    }
    this.#definitions.delete(definition)
    this.#generation++
  }

  #add(resource: Resource): void {
    this.#byPath.set(`${resource.group}/${resource.version}/${resource.plural}`, resource)
    this.#byKind.set(`${resource.apiVersion} ${resource.kind}`, resource)
    this.#generation++
  }
}
