import { readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { parseAllDocuments } from 'yaml'
import type { KubeClient } from '../../../src/kube/client.ts'
import type { Condition, KubeObject } from '../../../src/kube/types.ts'
import { waitFor } from '../wait.ts'

/** Applies every CustomResourceDefinition of the folders (those that exist) and waits until they are served. */
export async function installCrds(client: KubeClient, folders: readonly string[], signal?: AbortSignal): Promise<void> {
  const crds = (await Promise.all(folders.map(readCrds))).flat()
  await Promise.all(crds.map(crd => client.apply(crd, { fieldManager: 'offshoot-tests', force: true, signal })))
  await Promise.all(crds.map(crd => waitEstablished(client, crd, signal)))
  client.invalidate()
}

async function readCrds(folder: string): Promise<KubeObject[]> {
  const names = await readdir(folder).catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return []
    throw error
  })
  const texts = await Promise.all(
    names.filter(name => /\.ya?ml$/.test(name)).map(name => readFile(join(folder, name), 'utf8')),
  )
  return texts
    .flatMap(text => parseAllDocuments(text).map(document => document.toJS() as KubeObject | null))
    .filter(object => object?.kind === 'CustomResourceDefinition')
    .filter(object => object !== null)
}

async function waitEstablished(client: KubeClient, crd: KubeObject, signal?: AbortSignal): Promise<void> {
  const name = crd.metadata.name ?? ''
  await waitFor(
    async () => {
      const found = await client.get({ apiVersion: crd.apiVersion, kind: crd.kind, name }, { signal })
      const conditions = (found?.status as { conditions?: Condition[] } | undefined)?.conditions ?? []
      return conditions.some(condition => condition.type === 'Established' && condition.status === 'True')
    },
    { deadline: 30_000, describe: () => `CRD ${name} to be established` },
  )
}
