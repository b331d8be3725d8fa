import { isDeepStrictEqual } from 'node:util'
import type { KubeClient } from '../kube/client.ts'
import { KubeError } from '../kube/errors.ts'
import { type Condition, type KubeObject, keyOf } from '../kube/types.ts'
import { CliError, exitCodes } from './exit.ts'
import type { Io } from './io.ts'

const fieldManager = 'offshoot-install'

/** What applying did to an object. */
export type Applied = 'created' | 'configured' | 'unchanged'

/** Applies objects one after the other and tells `done` of each. */
export async function applyManifests(
  kube: KubeClient,
  objects: readonly KubeObject[],
  io: Io,
  done: (object: KubeObject, applied: Applied) => void,
): Promise<void> {
  for (const object of objects) {
    const before = await kube.get(keyOf(object), { signal: io.signal })
    if (object.kind === 'Namespace' && before) {
      done(object, 'unchanged')
      continue
    }
    const after = await kube.apply(object, { fieldManager, force: true, fieldValidation: 'Strict', signal: io.signal })
    done(object, before === undefined ? 'created' : isSame(before, after) ? 'unchanged' : 'configured')
  }
}

/** Whether both say the same, whatever controllers wrote into the status in between. */
function isSame(before: KubeObject, after: KubeObject): boolean {
  const content = ({ status: _status, metadata, ...rest }: KubeObject) => {
    const { resourceVersion: _version, managedFields: _fields, ...kept } = metadata
    return { ...rest, metadata: kept }
  }
  return isDeepStrictEqual(content(before), content(after))
}

/** Waits until the CustomResourceDefinitions are served. @throws CliError (timed out) */
export async function waitEstablished(kube: KubeClient, crds: readonly KubeObject[], timeout: number, io: Io) {
  const end = io.clock.now() + timeout
  for (const crd of crds) {
    while (!(await isEstablished(kube, crd, io))) {
      if (io.clock.now() >= end) {
        throw new CliError(`${crd.metadata.name} is not served after ${timeout / 1000} s`, exitCodes.timedOut)
      }
      await io.clock.sleep(200, io.signal)
    }
  }
  kube.invalidate()
}

async function isEstablished(kube: KubeClient, crd: KubeObject, io: Io): Promise<boolean> {
  const found = await kube.get(keyOf(crd), { signal: io.signal })
  if (!found) throw new KubeError(404, 'NotFound', `${crd.metadata.name} was deleted while waiting for it`)
  const conditions = (found.status as { conditions?: Condition[] } | undefined)?.conditions ?? []
  return conditions.some(({ type, status }) => type === 'Established' && status === 'True')
}
