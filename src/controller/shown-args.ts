/** Most bytes of JSON that all arguments, and one of them, take in a status. */
const maxAll = 32 * 1024
const maxOne = 2 * 1024

/**
 * A deployment's arguments as its environment's status shows them: a branch's config file and a project's templates may
 * make them as large as an object of the API may be, and every watcher of environments would carry them. A value that
 * is too long is replaced by its length; what has no room is left out.
 */
export function shownArgs(args: Readonly<Record<string, unknown>>): Record<string, unknown> {
  const shown: [string, unknown][] = []
  let size = 2
  for (const [name, value] of Object.entries(args)) {
    const bytes = bytesOf(value)
    const kept = bytes > maxOne ? `(${bytes} bytes)` : value
    // A colon and a comma go with each.
    size += bytesOf(name) + bytesOf(kept) + 2
    if (size > maxAll) break
    shown.push([name, kept])
  }
  return Object.fromEntries(shown)
}

function bytesOf(value: unknown): number {
  return Buffer.byteLength(JSON.stringify(value) ?? '')
}
