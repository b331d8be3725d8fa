import type { Clock } from '../../util/clock.ts'

/** Runs `work`, and meanwhile calls `remind` every `interval` milliseconds. */
export async function reminding<T>(
  clock: Clock,
  interval: number,
  remind: () => void,
  work: () => Promise<T>,
): Promise<T> {
  const over = new AbortController()
  const reminders = async () => {
    while (!over.signal.aborted) {
      // Ends early, by rejecting, when the work is done.
      await clock.sleep(interval, over.signal).catch(() => undefined)
      if (!over.signal.aborted) remind()
    }
  }
  const running = reminders()
  try {
    return await work()
  } finally {
    over.abort()
    await running
  }
}
