import { KubeError } from '../../kube/errors.ts'
import { health } from '../../kube/health.ts'
import { formatKey, type KubeObject, type ObjectKey } from '../../kube/types.ts'
import { messageOf } from '../../util/errors.ts'
import { parallel } from '../../util/parallel.ts'
import type { BackendContext } from '../backend.ts'
import { presentable } from '../mask.ts'
import type { KluctlProblem } from './resource.ts'

/** Most objects that are looked at for one observation. */
const maxObjects = 20

/** How the objects are that kluctl did not find ready. */
export interface ObjectsLook {
  verdict: 'ready' | 'waiting' | 'failed'
  message: string
}

/**
 * Looks at the objects that kluctl's last validation named, as the environment's account: what was ready for kluctl
 * need not be looked at again, so the cost is that of what was not. An object that the account may not read counts
 * as ready: kluctl is asked to look again.
 */
export async function lookAtObjects(context: BackendContext, problems: readonly KluctlProblem[]): Promise<ObjectsLook> {
  const keys = new Map<string, ObjectKey>()
  for (const { ref } of problems.slice(0, maxObjects)) {
    const key = ref && keyOf(ref)
    if (key) keys.set(formatKey(key), key)
  }
  const looks = await parallel([...keys.values()], 8, key => lookAt(context, key))
  const failed = looks.filter(look => look.verdict === 'failed')
  const waiting = looks.filter(look => look.verdict === 'waiting')
  const worst = failed.length > 0 ? failed : waiting
  if (worst.length === 0) return { verdict: 'ready', message: '' }
  const message = worst.slice(0, 5).map(look => look.message)
  if (worst.length > 5) message.push(`and ${worst.length - 5} more`)
  return { verdict: failed.length > 0 ? 'failed' : 'waiting', message: message.join('; ') }
}

function keyOf({
  group = '',
  version,
  kind,
  namespace,
  name,
}: NonNullable<KluctlProblem['ref']>): ObjectKey | undefined {
  if (version === undefined) return undefined
  const apiVersion = group === '' ? version : `${group}/${version}`
  return { apiVersion, kind, name, ...(namespace === undefined ? {} : { namespace }) }
}

async function lookAt(context: BackendContext, key: ObjectKey): Promise<ObjectsLook> {
  const { namespace } = context.environment.metadata
  const kube = context.kube.as({ serviceAccount: { namespace, name: context.serviceAccount } })
  const name = `${key.kind} ${key.name}`
  let live: KubeObject | undefined
  try {
    live = await kube.get(key, { signal: context.signal })
  } catch (error) {
    if (!(error instanceof KubeError)) throw error
    context.log.debug({ object: formatKey(key), error: messageOf(error) }, 'cannot look at an object')
    return { verdict: 'ready', message: '' }
  }
  if (live === undefined) return { verdict: 'waiting', message: `${name} does not exist` }
  const { status, message } = health(live)
  if (status === 'Current') return { verdict: 'ready', message: '' }
  return { verdict: status === 'Failed' ? 'failed' : 'waiting', message: presentable(`${name}: ${message}`, 200) }
}
