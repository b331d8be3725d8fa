import { KubeError } from '../../kube/errors.ts'
import type { KubeObject } from '../../kube/types.ts'
import { parallel } from '../../util/parallel.ts'
import { keyOfRef } from '../cluster/follow.ts'
import { conflictOr, Retrier } from '../cluster/retrying.ts'
import type { EngineHost } from '../host.ts'
import type { Manifest } from '../item.ts'
import { changedObjects } from '../plan/changes.ts'
import { refKey } from '../plan/refs.ts'
import type { ObjectRef, RemoteView } from '../plan/types.ts'
import type { SeenImage } from '../render/images.ts'
import type { CommandResult } from '../result/types.ts'
import { clone, getPath, isEqual, isObject } from '../values.ts'
import { type ClusterFlags, type ClusterRun, onCluster, type Shown } from './on-cluster.ts'

const containerPaths = [
  ['spec', 'template', 'spec', 'containers'],
  ['spec', 'template', 'spec', 'initContainers'],
]
/** Others may write the object meanwhile; whoever loses this often in a row does not win. */
const maxAttempts = 10
const atOnce = 8

/**
 * Puts the images that templates ask for into the containers of what is deployed, and changes nothing else.
 * @throws EngineError when the target cannot be rendered
 */
export async function pokeImages(
  host: EngineHost,
  flags: ClusterFlags,
  signal: AbortSignal,
): Promise<Shown<CommandResult>> {
  const call = {
    command: 'poke-images',
    initiator: 'CommandLine',
    ...(flags.dryRun === true ? { dryRun: true } : {}),
  } as const
  return onCluster(host, flags, signal, call, async one => {
    const remote = await one.findRemote({ discriminator: '' })
    const applied = await pokeAll(one, remote)
    return {
      rendered: one.objects,
      remote: remote.all(),
      applied: [...applied.values()],
      changed: changedObjects({ items: one.run.items, applied, remote }, one.problems),
    }
  })
}

async function pokeAll(one: ClusterRun, remote: RemoteView): Promise<Map<string, Manifest>> {
  const { context, problems, run } = one
  const end = context.progress.start('Poking images')
  const rendered = new Set(one.refs.map(refKey))
  const applied = new Map<string, Manifest>()
  const retrier = new Retrier(context)
  await parallel([...byObject(run.images)], atOnce, async ([key, { ref, images }]) => {
    const before = remote.get(ref)
    if (!rendered.has(key)) {
      problems.addError(ref, 'object not found while trying to associate image with deployed object')
    } else if (before === undefined) {
      problems.addWarning(ref, 'remote object not found, skipped image replacement')
    } else {
      try {
        applied.set(key, await poke(one, retrier, ref, before, images))
      } catch (error) {
        problems.addError(ref, error)
      }
    }
  })
  end(problems.errors.length === 0 ? 'done' : 'failed')
  return applied
}

function byObject(images: readonly SeenImage[]): Map<string, { ref: ObjectRef; images: SeenImage[] }> {
  const result = new Map<string, { ref: ObjectRef; images: SeenImage[] }>()
  for (const image of images) {
    const key = refKey(image.object)
    const known = result.get(key)
    if (known === undefined) result.set(key, { ref: image.object, images: [image] })
    else known.images.push(image)
  }
  return result
}

/** @throws KubeError, KubeConnectionError, the signal's reason */
async function poke(
  { context: { kube, signal, problems }, flags }: ClusterRun,
  retrier: Retrier,
  ref: ObjectRef,
  before: Manifest,
  images: readonly SeenImage[],
): Promise<Manifest> {
  let current = before
  for (let attempt = 1; ; attempt++) {
    const changed = withImages(current, images)
    if (isEqual(changed, current)) return current
    const options = {
      fieldManager: 'kluctl',
      dryRun: flags.dryRun === true,
      signal,
      onWarning: (warning: string) => problems.addWarning(ref, warning),
    }
    const replace = () => conflictOr(kube.replace(changed as unknown as KubeObject, options))
    const answer = await retrier.run(replace, signal)
    if (!(answer instanceof KubeError)) return answer as unknown as Manifest
    if (attempt === maxAttempts) throw answer
    // Somebody else wrote it, or an attempt whose answer was lost.
    const fresh = await retrier.run(() => kube.get(keyOfRef(ref), { signal }), signal)
    if (fresh === undefined) throw answer
    current = fresh as unknown as Manifest
  }
}

/** A copy with the images in the containers of their names. */
export function withImages(object: Manifest, images: readonly SeenImage[]): Manifest {
  const copy = clone(object)
  for (const { container, resultImage } of images) {
    for (const path of containerPaths) {
      const containers = getPath(copy, path)
      if (!Array.isArray(containers)) continue
      for (const one of containers) if (isObject(one) && one.name === container) one.image = resultImage
    }
  }
  return copy
}
