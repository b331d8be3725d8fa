/**
 * Runs `work` for every item, at most `limit` at a time, and gives the results in the items' order. The first error
 * rejects; nothing new is started after it.
 */
export async function parallel<T, R>(
  items: readonly T[],
  limit: number,
  work: (item: T, index: number) => Promise<R>,
): Promise<R[]> {
  const results: R[] = []
  const queue = each(items)
  const worker = async () => {
    // All workers share one generator, so each item is taken once, and leaving the loop by an error ends it for all.
    for (const [index, item] of queue) results[index] = await work(item, index)
  }
  await Promise.all(Array.from({ length: Math.min(limit, items.length) }, worker))
  return results
}

function* each<T>(items: readonly T[]): Generator<[number, T]> {
  yield* items.entries()
}
