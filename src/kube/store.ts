import { compareResourceVersions, type KubeObject } from './types.ts'

/** Values under which an object is found again, such as its project. */
export type IndexFunction<T> = (object: T) => readonly string[]

/** One thing that happened to the store. */
export type Change<T> =
  | { type: 'add'; object: T }
  | { type: 'update'; object: T; old: T }
  | { type: 'delete'; object: T }

/** Deletions remembered, so that an older answer does not bring an object back. */
const maxTombstones = 10_000
const never = '9'.repeat(30)

/**
 * Objects of one kind by namespace and name, with indexes. It only moves forward: whatever is older than what it
 * holds, or than a deletion it saw, is old news. Stored objects must not be changed by their readers.
 */
export class Store<T extends KubeObject> {
  readonly #objects = new Map<string, T>()
  readonly #indexFunctions: ReadonlyMap<string, IndexFunction<T>>
  readonly #indexes = new Map<string, Map<string, Map<string, T>>>()
  readonly #tombstones = new Map<string, string>()
  #listed = '0'

  constructor(indexes: Readonly<Record<string, IndexFunction<T>>> = {}) {
    this.#indexFunctions = new Map(Object.entries(indexes))
    for (const name of this.#indexFunctions.keys()) this.#indexes.set(name, new Map())
  }

  get size(): number {
    return this.#objects.size
  }

  get(namespace: string | undefined, name: string): T | undefined {
    return this.#objects.get(keyFor(namespace, name))
  }

  list(): T[] {
    return [...this.#objects.values()]
  }

  /**
   * Objects under one value of an index.
   * @throws RangeError for an index that does not exist
   */
  byIndex(index: string, value: string): T[] {
    const values = this.#indexes.get(index)
    if (!values) throw new RangeError(`no index "${index}"`)
    return [...(values.get(value)?.values() ?? [])]
  }

  /** How many objects are under one value of an index; costs the same however many there are. */
  count(index: string, value: string): number {
    const values = this.#indexes.get(index)
    if (!values) throw new RangeError(`no index "${index}"`)
    return values.get(value)?.size ?? 0
  }

  /**
   * Takes an object in; gives the changes: none when it is old news, two when it replaces one of the same name.
   * `ahead`: it also replaces itself in the same version, for it holds what is about to be written.
   */
  upsert(object: T, ahead = false): Change<T>[] {
    if (this.#isBuried(object)) return []
    const key = storeKey(object)
    const old = this.#objects.get(key)
    const newer = old === undefined ? 1 : compareVersions(object, old)
    if (newer < 0 || (newer === 0 && !ahead)) return []
    this.#put(key, object, old)
    if (!old) return [{ type: 'add', object }]
    if (old.metadata.uid === object.metadata.uid) return [{ type: 'update', object, old }]
    this.#bury(old.metadata.uid, never)
    return [
      { type: 'delete', object: old },
      { type: 'add', object },
    ]
  }

  /** Takes out a deleted object. `final`: its uid can never come back (it did not just leave a selector). */
  remove(object: KubeObject, final = false): Change<T>[] {
    this.#bury(object.metadata.uid, final ? never : (object.metadata.resourceVersion ?? '0'))
    const key = storeKey(object)
    const old = this.#objects.get(key)
    if (!old || old.metadata.uid !== object.metadata.uid) return []
    if (!final && compareVersions(old, object) > 0) return []
    this.#drop(key, old)
    return [{ type: 'delete', object: old }]
  }

  /** Makes the store equal to a list as of `resourceVersion`, except for what it knows to be newer. */
  replace(objects: readonly T[], resourceVersion: string): Change<T>[] {
    const changes: Change<T>[] = []
    // A version that went backwards means that the cluster was restored from a backup: nothing known counts any more.
    const restored = compareResourceVersions(resourceVersion, this.#listed) < 0
    if (restored) this.#tombstones.clear()
    this.#listed = resourceVersion
    const listed = new Set(objects.map(storeKey))
    for (const [key, old] of this.#objects) {
      const isNewer = compareResourceVersions(old.metadata.resourceVersion ?? '0', resourceVersion) > 0
      if (listed.has(key) ? !restored : isNewer && !restored) continue
      this.#drop(key, old)
      if (!restored) this.#bury(old.metadata.uid, resourceVersion)
      changes.push({ type: 'delete', object: old })
    }
    for (const object of objects) changes.push(...this.upsert(object))
    return changes
  }

  #isBuried(object: T): boolean {
    const buried = this.#tombstones.get(object.metadata.uid ?? '')
    return buried !== undefined && compareResourceVersions(object.metadata.resourceVersion ?? '0', buried) <= 0
  }

  #bury(uid: string | undefined, resourceVersion: string): void {
    if (uid === undefined) return
    const known = this.#tombstones.get(uid)
    this.#tombstones.delete(uid)
    const newest = known !== undefined && compareResourceVersions(known, resourceVersion) > 0 ? known : resourceVersion
    this.#tombstones.set(uid, newest)
    if (this.#tombstones.size <= maxTombstones) return
    for (const oldest of this.#tombstones.keys()) {
      this.#tombstones.delete(oldest)
      return
    }
  }

  #put(key: string, object: T, old: T | undefined): void {
    if (old) this.#unindex(key, old)
    this.#objects.set(key, object)
    for (const [name, values] of this.#indexes) {
      for (const value of this.#indexFunctions.get(name)?.(object) ?? []) {
        const members = values.get(value)
        if (members) members.set(key, object)
        else values.set(value, new Map([[key, object]]))
      }
    }
  }

  #drop(key: string, old: T): void {
    this.#unindex(key, old)
    this.#objects.delete(key)
  }

  #unindex(key: string, old: T): void {
    for (const [name, values] of this.#indexes) {
      for (const value of this.#indexFunctions.get(name)?.(old) ?? []) {
        const members = values.get(value)
        members?.delete(key)
        if (members?.size === 0) values.delete(value)
      }
    }
  }
}

function compareVersions(a: KubeObject, b: KubeObject): number {
  return compareResourceVersions(a.metadata.resourceVersion ?? '0', b.metadata.resourceVersion ?? '0')
}

function storeKey(object: KubeObject): string {
  return keyFor(object.metadata.namespace, object.metadata.name ?? '')
}

function keyFor(namespace: string | undefined, name: string): string {
  return `${namespace ?? ''}/${name}`
}
