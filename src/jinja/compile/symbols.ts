import type { Meter } from '../meter.ts'
import type { Frame } from '../runtime/frame.ts'
import type { Value } from '../values.ts'

/** The slots of one activation, as the compiler counts them. */
export class Activation {
  readonly up: Activation | undefined
  /** Of the template's compilation. */
  readonly meter: Meter
  private used = 0

  constructor(up: Activation | undefined, meter: Meter) {
    this.up = up
    this.meter = meter
  }

  newSlot(): number {
    return this.used++
  }
}

/** A variable's place: a slot of an activation. */
export interface Ref {
  readonly activation: Activation
  readonly slot: number
}

type Load =
  | { readonly kind: 'parameter' | 'unset' }
  | { readonly kind: 'resolve' }
  | { readonly kind: 'alias'; readonly of: Ref }

/**
 * The names of one scope and where their values come from when it is entered. A name that is only read is looked up
 * in the context on entry; one that is assigned here begins with the outer scope's value, or with none.
 */
export class Symbols {
  readonly activation: Activation
  readonly stores = new Set<string>()
  private readonly parent: Symbols | undefined
  private readonly refs = new Map<string, Ref>()
  /** One slot per name, whichever branch of an `if` defines it first. */
  private readonly places: Map<string, Ref>
  private readonly loads = new Map<Ref, { name: string; load: Load }>()

  constructor(activation: Activation, parent: Symbols | undefined, places = new Map<string, Ref>()) {
    this.activation = activation
    this.parent = parent
    this.places = places
  }

  /** The place of a name here or in an outer scope. */
  find(name: string): Ref | undefined {
    return this.refs.get(name) ?? this.parent?.find(name)
  }

  private define(name: string, load: Load): Ref {
    const ref = this.places.get(name) ?? { activation: this.activation, slot: this.activation.newSlot() }
    this.places.set(name, ref)
    this.refs.set(name, ref)
    this.loads.set(ref, { name, load })
    return ref
  }

  load(name: string): void {
    if (this.find(name) === undefined) this.define(name, { kind: 'resolve' })
  }

  store(name: string): void {
    this.stores.add(name)
    if (this.refs.has(name)) return
    const outer = this.parent?.find(name)
    this.define(name, outer === undefined ? { kind: 'unset' } : { kind: 'alias', of: outer })
  }

  /** A name whose value whoever enters the scope puts in place. */
  parameter(name: string): Ref {
    this.stores.add(name)
    return this.define(name, { kind: 'parameter' })
  }

  /** A scope of the same names to read one branch of an `if` with. */
  branch(): Symbols {
    this.step(this.refs.size + this.loads.size + this.stores.size)
    const copy = new Symbols(this.activation, this.parent, this.places)
    for (const [name, ref] of this.refs) copy.refs.set(name, ref)
    for (const [ref, load] of this.loads) copy.loads.set(ref, load)
    for (const name of this.stores) copy.stores.add(name)
    return copy
  }

  /** Takes over what the branches define: a name that one of them assigns begins with what it was before. */
  join(branches: readonly Symbols[]): void {
    const assigned = new Set<string>()
    for (const branch of branches) {
      for (const name of branch.stores) if (!this.stores.has(name)) assigned.add(name)
    }
    for (const branch of branches) {
      for (const [name, ref] of branch.refs) this.refs.set(name, ref)
      for (const [ref, load] of branch.loads) this.loads.set(ref, load)
      for (const name of branch.stores) this.stores.add(name)
    }
    for (const name of assigned) {
      const ref = this.refs.get(name)
      const outer = this.parent?.find(name)
      const load: Load = outer === undefined ? { kind: 'resolve' } : { kind: 'alias', of: outer }
      if (ref !== undefined) this.loads.set(ref, { name, load })
    }
  }

  /** Counts work of the compiler. Throws BudgetError. */
  step(count: number): void {
    this.activation.meter.step(count)
  }

  /** All assigned names that a template included here may see, innermost first. */
  visibleStores(): Map<string, Ref> {
    this.step(this.stores.size)
    const visible = this.parent?.visibleStores() ?? new Map<string, Ref>()
    for (const name of this.stores) {
      const ref = this.find(name)
      if (ref !== undefined) visible.set(name, ref)
    }
    return visible
  }

  /** What runs when the scope is entered, or undefined when nothing has to. */
  entry(): ((frame: Frame) => void) | undefined {
    const steps: ((frame: Frame) => void)[] = []
    for (const [{ slot }, { name, load }] of this.loads) {
      if (load.kind === 'resolve') {
        steps.push(frame => {
          frame.slots[slot] = frame.context.lookup(name)
        })
      } else if (load.kind === 'unset') {
        steps.push(frame => {
          frame.slots[slot] = undefined
        })
      } else if (load.kind === 'alias') {
        const read = readRef(load.of, this.activation)
        steps.push(frame => {
          frame.slots[slot] = read(frame)
        })
      }
    }
    const [only, second] = steps
    if (only === undefined || second === undefined) return only
    return frame => {
      for (const step of steps) step(frame)
    }
  }
}

/** Reads a place from code that runs in the given activation. */
export function readRef(ref: Ref, from: Activation): (frame: Frame) => Value | undefined {
  const { slot } = ref
  const levels = levelsUp(ref, from)
  if (levels === 0) return frame => frame.slots[slot]
  if (levels === 1) return frame => frame.up?.slots[slot]
  return frame => {
    let at: Frame | undefined = frame
    for (let level = 0; level < levels; level++) at = at?.up
    return at?.slots[slot]
  }
}

function levelsUp(ref: Ref, from: Activation): number {
  let levels = 0
  for (let at: Activation | undefined = from; at !== undefined && at !== ref.activation; at = at.up) levels++
  return levels
}
