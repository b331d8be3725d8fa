import { fromHost } from '../host.ts'
import type { RenderContext } from '../options.ts'
import type { Value } from '../values.ts'

/** Variables that do not change while a template runs; an upper layer hides the one below. */
export interface Layer {
  get(name: string): Value | undefined
  /** Writes all variables into a map, lower layers first. */
  addTo(map: Map<string, Value>): void
}

/** A map of values on top of another layer. */
export class MapLayer implements Layer {
  private readonly map: ReadonlyMap<string, Value>
  private readonly below: Layer | undefined

  constructor(map: ReadonlyMap<string, Value>, below?: Layer) {
    this.map = map
    this.below = below
  }

  get(name: string): Value | undefined {
    const value = this.map.get(name)
    return value === undefined ? this.below?.get(name) : value
  }

  addTo(map: Map<string, Value>): void {
    this.below?.addTo(map)
    for (const [name, value] of this.map) map.set(name, value)
  }
}

/** The caller's variables: each is converted when a template first asks for it. */
export class HostLayer implements Layer {
  private readonly data: RenderContext
  private readonly converted = new Map<string, Value>()
  private readonly below: Layer

  constructor(data: RenderContext, below: Layer) {
    this.data = data
    this.below = below
  }

  get(name: string): Value | undefined {
    const known = this.converted.get(name)
    if (known !== undefined) return known
    if (!this.has(name)) return this.below.get(name)
    const value = fromHost(this.data instanceof Map ? this.data.get(name) : Reflect.get(this.data, name))
    this.converted.set(name, value)
    return value
  }

  addTo(map: Map<string, Value>): void {
    this.below.addTo(map)
    const names: Iterable<string> = this.data instanceof Map ? this.data.keys() : Object.keys(this.data)
    for (const name of names) {
      const value = this.get(name)
      if (value !== undefined) map.set(name, value)
    }
  }

  private has(name: string): boolean {
    return this.data instanceof Map ? this.data.has(name) : Object.hasOwn(this.data, name)
  }
}
