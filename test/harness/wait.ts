import { systemClock } from '../../src/util/clock.ts'
import { messageOf, OffshootError } from '../../src/util/errors.ts'

/** How long and for what to wait. */
export interface WaitOptions {
  /** Milliseconds; default 30,000. */
  deadline?: number
  /** Milliseconds between looks; default 50. */
  interval?: number
  /** What is waited for, and what was seen last: the message of the failure. */
  describe?: string | (() => string | Promise<string>)
  signal?: AbortSignal
}

type Truthy<T> = Exclude<T, undefined | null | false | 0 | ''>

/**
 * Waits until the condition gives something true, and gives that. Errors of the condition count as "not yet".
 * @throws OffshootError after the deadline: what was waited for, and the last error
 */
export async function waitFor<T>(
  condition: () => T | Promise<T>,
  options: WaitOptions = {},
): Promise<Truthy<Awaited<T>>> {
  const { deadline = 30_000, interval = 50, describe = 'the condition' } = options
  const end = Date.now() + deadline
  let lastError: unknown
  for (;;) {
    try {
      const value = await condition()
      if (value) return value as Truthy<Awaited<T>>
      lastError = undefined
    } catch (error) {
      lastError = error
    }
    if (Date.now() >= end) break
    await systemClock.sleep(interval, options.signal)
  }
  const what = typeof describe === 'string' ? describe : await describe()
  const last = lastError === undefined ? '' : ` (last error: ${messageOf(lastError)})`
  throw new OffshootError(`waited ${deadline} ms for ${what}${last}`, { cause: lastError })
}
