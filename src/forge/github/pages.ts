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
  /** For lists that may be long: asks for pages before the ones in front of them are there. */
  ahead?: boolean
}

const perPage = 100
/**
 * Pages on their way at once where the forge has named the last one: a hundred, one by one, take a minute. What comes or
 * goes meanwhile may be missed, as it may between two pages: nothing is believed gone before it was asked for by name.
 */
const atOnce = 4

/**
 * Reads a list by number of page, in order: a Link is only a hint whether there is more, since following it would send
 * the credential wherever it points. The list is whole if no page is short before the last, repeats another, or
 * denies the one that follows it.
 * @throws ForgeError if the first page fails.
 */
export async function readPages<T>(client: GitHubClient, route: string, options: PageOptions<T>): Promise<Pages<T>> {
  const found = new Map<string | number, T>()
  let notModified = true
  let suspicion: string | undefined
  let last = 1
  let likelyLast = 1
  using reader = new PageReader(client, route, options)
  for (let page = 1; ; page++) {
    const end = (reason = suspicion): Pages<T> => ({
      items: [...found.values()],
      notModified,
      ...(reason === undefined ? {} : { incompleteReason: reason }),
    })
    if (page > options.maxPages) return end(`more than ${options.maxPages} pages`)
    let answer: Answer<T[]>
    try {
      answer = await reader.read(page, likelyLast)
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
    likelyLast = answer.last ?? answer.lastBefore ?? likelyLast
    if (next && data.length < perPage) suspicion ??= `page ${page} is short, and yet another follows`
    // A full page may have a successor that its Link denies, or that came since: only the next page can tell.
    if (next || data.length >= perPage) continue
    if (page < last) suspicion ??= `page ${page} ends a list of ${last} pages`
    return end()
  }
}

/** Gives pages by number, those that will surely be asked for already on their way. */
class PageReader<T> implements Disposable {
  readonly #client: GitHubClient
  readonly #route: string
  readonly #options: PageOptions<T>
  readonly #begun = new Map<number, Promise<Answer<T[]>>>()
  readonly #over = new AbortController()

  constructor(client: GitHubClient, route: string, options: PageOptions<T>) {
    this.#client = client
    this.#route = route
    this.#options = options
  }

  /** `last`: number of the last page, as far as it can be guessed. @throws ForgeError */
  read(page: number, last: number): Promise<Answer<T[]>> {
    const { ahead = false, maxPages } = this.#options
    const until = ahead ? Math.min(page + atOnce - 1, last, maxPages) : page
    for (let next = page; next <= Math.max(page, until); next++) {
      if (!this.#begun.has(next)) this.#begun.set(next, this.#ask(next))
    }
    const answer = this.#begun.get(page) ?? this.#ask(page)
    this.#begun.delete(page)
    return answer
  }

  /** Ends the requests that nobody waits for any more. */
  [Symbol.dispose](): void {
    this.#over.abort(new DOMException('the list has ended', 'AbortError'))
  }

  #ask(page: number): Promise<Answer<T[]>> {
    const { parameters, schema, signal, keep = true } = this.#options
    const during = signal === undefined ? this.#over.signal : AbortSignal.any([signal, this.#over.signal])
    const answer = this.#client.read(this.#route, { ...parameters, per_page: perPage, page }, schema, during, { keep })
    // One that fails is told when it is its turn; the list may end before that.
    answer.catch(() => undefined)
    return answer
  }
}
