/** Where an object is. */
export interface Place {
  namespace: string
  name: string
}

/**
 * What there is to do; a queue holds nothing but this, never an event's contents.
 * - `listing`: all changes of a project; `change`: one of them; both ask the forge;
 * - `project`: a project's finalizer, validation and counts; `admission`: who of its environments gets a place;
 * - `environment`: one environment; `feedback`: what people are told about it;
 * - `credential`: the Git credential that is made for a project.
 */
export type Work =
  | (Place & { kind: 'listing' | 'project' | 'admission' | 'environment' | 'feedback' | 'credential' })
  | (Place & { kind: 'change'; change: string })

const kinds = new Set(['listing', 'project', 'admission', 'environment', 'feedback', 'credential'])

/** `kind|namespace/name`, for a change with `|` and the change's key after it. */
export function formatWork(work: Work): string {
  const base = `${work.kind}|${work.namespace}/${work.name}`
  return work.kind === 'change' ? `${base}|${work.change}` : base
}

/** Inverse of `formatWork`. @throws TypeError for anything else. */
export function parseWork(key: string): Work {
  const [kind = '', place = '', ...rest] = key.split('|')
  const [namespace = '', name = ''] = place.split('/')
  if (namespace !== '' && name !== '') {
    if (kind === 'change' && rest.length > 0) return { kind, namespace, name, change: rest.join('|') }
    if (kinds.has(kind) && rest.length === 0) return { kind, namespace, name } as Work
  }
  throw new TypeError(`not a work key: ${JSON.stringify(key)}`)
}

/** `namespace/name`. */
export function placeOf(object: { metadata: { namespace?: string; name?: string } }): string {
  return `${object.metadata.namespace ?? ''}/${object.metadata.name ?? ''}`
}
