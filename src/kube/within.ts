import { KubeConnectionError } from './errors.ts'

/**
 * Waits for work that others share and that therefore goes on alone.
 * @throws KubeConnectionError after `timeout` milliseconds; the signal's reason when aborted
 */
export async function within<T>(
  shared: Promise<T>,
  what: string,
  timeout: number,
  signal: AbortSignal | undefined,
): Promise<T> {
  signal?.throwIfAborted()
  const { promise: ended, reject } = Promise.withResolvers<never>()
  const onAbort = () => reject(signal?.reason)
  const timer = setTimeout(() => reject(new KubeConnectionError(`${what}: not done within ${timeout} ms`)), timeout)
  signal?.addEventListener('abort', onAbort, { once: true })
  try {
    return await Promise.race([shared, ended])
  } finally {
    clearTimeout(timer)
    signal?.removeEventListener('abort', onAbort)
  }
}
