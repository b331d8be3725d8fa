/** What goes wrong with a request that a fault matches. */
export type Failure =
  /** This HTTP status; a 301 points to `/moved`. */
  | number
  /** Never answers. */
  | 'timeout'
  /** Does what is asked, and never answers. */
  | 'unanswered'
  /** Closes the connection without an answer. */
  | 'reset'
  /** 200 and an empty list. */
  | 'empty'
  /** 200, and the body ends in the middle. */
  | 'truncated'
  /** The second half of the page is missing. */
  | 'shortPage'
  /** Every page is the first one. */
  | 'repeatedPage'
  /** The Link header has no next page. */
  | 'lostLink'
  /** 200 and HTML, as a proxy in between would send. */
  | 'html'

/** Which requests fail, and how. */
export interface Fault {
  /** Absent: any. */
  method?: string
  /** Found in `path?query` of the API (after `/api/v3`); absent: any. */
  path?: RegExp | string
  failure: Failure
  /** Number of requests that fail; absent: all until removed. */
  times?: number
  headers?: Record<string, string>
  /** Field `message` of the answer's body. */
  message?: string
}

/** A fault in place; `remove` ends it. */
export interface ActiveFault extends Fault {
  hits: number
  remove(): void
}

/** The faults in place; the oldest that matches counts. */
export class Faults {
  readonly #active = new Set<ActiveFault>()

  add(fault: Fault): ActiveFault {
    const active: ActiveFault = { ...fault, hits: 0, remove: () => void this.#active.delete(active) }
    this.#active.add(active)
    return active
  }

  clear(): void {
    this.#active.clear()
  }

  match(method: string, path: string): ActiveFault | undefined {
    for (const fault of this.#active) {
      if (fault.method !== undefined && fault.method !== method) continue
      if (typeof fault.path === 'string' && !path.includes(fault.path)) continue
      if (fault.path instanceof RegExp && !fault.path.test(path)) continue
      fault.hits++
      if (fault.times !== undefined && fault.hits >= fault.times) this.#active.delete(fault)
      return fault
    }
    return undefined
  }
}
