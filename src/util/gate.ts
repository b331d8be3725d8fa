/** Lets at most `width` pieces of work run at a time; the others wait in order. */
export class Gate {
  #free: number
  readonly #waiting: (() => void)[] = []

  constructor(width: number) {
    this.#free = width
  }

  /**
   * Runs the work when it is its turn; its place is free again when it ends, or calls `leave` before. Rejects with the
   * signal's reason if aborted while it waits.
   */
  async run<T>(work: (leave: () => void) => Promise<T>, signal?: AbortSignal): Promise<T> {
    await this.#enter(signal)
    let inside = true
    const leave = () => {
      if (inside) this.#leave()
      inside = false
    }
    try {
      return await work(leave)
    } finally {
      leave()
    }
  }

  #leave(): void {
    const next = this.#waiting.shift()
    if (next) next()
    else this.#free++
  }

  #enter(signal: AbortSignal | undefined): Promise<void> {
    signal?.throwIfAborted()
    if (this.#free > 0) {
      this.#free--
      return Promise.resolve()
    }
    return new Promise((resolve, reject) => {
      const enter = () => {
        signal?.removeEventListener('abort', leave)
        resolve()
      }
      const leave = () => {
        this.#waiting.splice(this.#waiting.indexOf(enter), 1)
        reject(signal?.reason)
      }
      this.#waiting.push(enter)
      signal?.addEventListener('abort', leave, { once: true })
    })
  }
}
