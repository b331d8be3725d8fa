import type { KubeClient } from '../../kube/client.ts'
import type { ContentCache, ContentKey } from '../cache/content.ts'
import { type ReaderAnswer, readPath } from './reader.ts'

/** A chart that is to be rendered. */
export interface Rendering {
  /** A new key of all that goes into it. */
  readonly key: () => ContentKey
  /** Its templates mention chance somewhere. */
  readonly chance: boolean
}

/** What a render that looked things up gave, and what it got to see: by path. */
export interface LookedUp {
  readonly text: string
  readonly lookups: ReadonlyMap<string, ReaderAnswer>
}

/** Different sets of lookups that are kept for one chart, the newest first: as on a cluster before and after. */
const maxVariants = 4

/**
 * Charts that mention chance anywhere are kept only once two runs agreed; before that, what the first printed is
 * only there to be compared with.
 */
export async function remembered(
  cache: ContentCache,
  { key, chance }: Rendering,
  render: () => Promise<string>,
): Promise<string> {
  const known = await cache.get(key())
  const sure = sureText(known, chance)
  if (sure !== undefined) return sure
  const text = await render()
  await keep(cache, key(), chance, known, text)
  return text
}

/**
 * The same for a chart that looks objects up: what it looked up before is read again, and while that is the same, so
 * is its output. Reading an object is much less work than Helm's, which asks for the cluster's kinds and schemas too.
 */
export async function rememberedLookups(
  cache: ContentCache,
  rendering: Rendering,
  client: KubeClient,
  signal: AbortSignal,
  render: () => Promise<LookedUp>,
): Promise<string> {
  const { key, chance } = rendering
  const variants = await knownVariants(cache, key())
  const read = reading(client, signal)
  for (const paths of variants) {
    const seen = await Promise.all(paths.map(async path => [path, await read(path)] as const))
    const sure = sureText(await cache.get(keyWith(key(), seen)), chance)
    if (sure !== undefined) return sure
  }
  signal.throwIfAborted()
  const { text, lookups } = await render()
  // What failed may be otherwise the next time, without anything having changed.
  if ([...lookups.values()].some(({ status }) => status !== 200 && status !== 404)) return text
  const full = () => keyWith(key(), [...lookups])
  await keep(cache, full(), chance, await cache.get(full()), text)
  const paths = [...lookups.keys()]
  const others = variants.filter(other => JSON.stringify(other) !== JSON.stringify(paths))
  await cache.put(key().add('lookups'), JSON.stringify([paths, ...others].slice(0, maxVariants)))
  return text
}

async function knownVariants(cache: ContentCache, key: ContentKey): Promise<string[][]> {
  const known = await cache.get(key.add('lookups'))
  return known === undefined ? [] : (JSON.parse(known) as string[][])
}

/** Reads each path once. */
function reading(client: KubeClient, signal: AbortSignal): (path: string) => Promise<ReaderAnswer> {
  const answers = new Map<string, Promise<ReaderAnswer>>()
  return path => {
    const known = answers.get(path) ?? readPath(client, path, signal)
    answers.set(path, known)
    return known
  }
}

function keyWith(key: ContentKey, seen: readonly (readonly [string, ReaderAnswer])[]): ContentKey {
  for (const [path, { status, body }] of seen) key.add(path).add(String(status)).add(body)
  return key.add('looked up')
}

const sureMark = '# sure\n'

function sureText(known: string | undefined, chance: boolean): string | undefined {
  if (known === undefined || (chance && !known.startsWith(sureMark))) return undefined
  return known.startsWith(sureMark) ? known.slice(sureMark.length) : known
}

async function keep(
  cache: ContentCache,
  key: ContentKey,
  chance: boolean,
  known: string | undefined,
  text: string,
): Promise<void> {
  await cache.put(key, chance && known === text ? sureMark + text : text)
}
