/** How the client wants an answer: as it is, as a table, or with metadata only. */
export type Form = 'object' | 'table' | 'metadata'

/** The form that an Accept header asks for first, among those the sandbox has. */
export function formOf(accept: string | undefined): Form {
  for (const part of (accept ?? '').split(',')) {
    if (!part.includes('json') && !part.includes('*/*')) continue
    const as = /;\s*as=(\w+)/.exec(part)?.[1]
    if (as === undefined) return 'object'
    if (as === 'Table') return 'table'
    if (as === 'PartialObjectMetadata' || as === 'PartialObjectMetadataList') return 'metadata'
  }
  return 'object'
}

/** The version of aggregated discovery that an Accept header asks for; undefined for the older form. */
export function discoveryVersion(accept: string | undefined): 'v2' | 'v2beta1' | undefined {
  for (const part of (accept ?? '').split(',')) {
    if (!part.includes('json')) continue
    if (!part.includes('as=APIGroupDiscoveryList')) return undefined
    const version = /;\s*v=(v2|v2beta1)\b/.exec(part)?.[1]
    if (version === 'v2' || version === 'v2beta1') return version
  }
  return undefined
}
