import type { z } from 'zod'
import { ForgeError } from '../errors.ts'
import type { Answer, GitHubClient } from './client.ts'

/** What the pages of a list gave. */
export interface Pages<T> {
  items: T[]
  /** Undefined if the list is whole; else why it is not. */
  incompleteReason?: string
  /** Every page was answered 304. */
  notModified: boolean
}

/** How a list is read. */
export interface PageOptions<T> {
  parameters: Record<string, string | number>
  schema: z.ZodType<T[]>
  /** Tells items apart: a page without a new one ends the list. */
  keyOf: (item: T) => string | number
  maxPages: number
  /** Ends the reading early, after a page for which it is true. */
  enough?: (items: readonly T[]) => boolean
  signal?: AbortSignal | undefined
  /** Whether pages are kept for conditional requests; default true. */
  keep?: boolean
}

const perPage = 100

/**
 * Reads a list page by page, by number: a Link is only a hint whether there is more, since following it would send
 * the credential wherever it points. The list is whole if no page is short before the last, repeats another, or
 * denies the one that follows it.
 * @throws ForgeError if the first page fails.
 */
export async function readPages<T>(client: GitHubClient, route: string, options: PageOptions<T>): Promise<Pages<T>> {
  const found = new Map<string | number, T>()
  let notModified = true
  let suspicion: string | undefined
  let last = 1
  for (let page = 1; ; page++) {
    const end = (reason = suspicion): Pages<T> => ({
      items: [...found.values()],
      notModified,
      ...(reason === undefined ? {} : { incompleteReason: reason }),
    })
    if (page > options.maxPages) return end(`more than ${options.maxPages} pages`)
    let answer: Answer<T[]>
    try {
      const parameters = { ...options.parameters, per_page: perPage, page }
      const { keep = true, signal } = options
      answer = await client.read(route, parameters, options.schema, signal, { keep })
    } catch (error) {
      if (page === 1 || !(error instanceof ForgeError)) throw error
      return end(`page ${page}: ${error.message}`)
    }
    const { data, next } = answer
    notModified &&= answer.notModified
    const before = found.size
    for (const item of data) found.set(options.keyOf(item), item)
    if (data.length > 0 && found.size === before) return end(`page ${page} repeats earlier ones`)
    if (options.enough?.(data)) return end()
    last = answer.last ?? last
    if (next && data.length < perPage) suspicion ??= `page ${page} is short, and yet another follows`
    // A full page may have a successor that its Link denies, or that came since: only the next page can tell.
    if (next || data.length >= perPage) continue
    if (page < last) suspicion ??= `page ${page} ends a list of ${last} pages`
    return end()
  }
}
