import { Readable } from 'node:stream'
import { applyManifests } from '../../src/cli/apply-manifests.ts'
import type { Io } from '../../src/cli/io.ts'
import { admissionManifests, type Installation, rbacManifests } from '../../src/cli/manifests.ts'
import type { KubeClient } from '../../src/kube/client.ts'
import type { KubeObject } from '../../src/kube/types.ts'
import { systemClock } from '../../src/util/clock.ts'
import { waitFor } from './wait.ts'

/** Streams that keep what a command wrote. */
export function recordingIo(env: Io['env'] = {}, signal = new AbortController().signal, input = '') {
  const written = { stdout: '', stderr: '' }
  const stream = (name: 'stdout' | 'stderr') => ({
    write: (text: string) => {
      written[name] += text
    },
  })
  const stdin = Readable.from([input])
  return { io: { stdin, stdout: stream('stdout'), stderr: stream('stderr'), env, clock: systemClock, signal }, written }
}

/** Makes the rights of an installation and gives the settings that Offshoot is to run with, if it has a say in them. */
export type Installer = (
  admin: KubeClient,
  installation: Installation,
  adminKubeconfig: string,
) => Promise<Readonly<Record<string, unknown>> | undefined>

/**
 * Applies what `offshoot install` would, for an installation whose names nobody else has, so that many of them share
 * one control plane; returns when the rights are in force.
 */
export async function installRights(admin: KubeClient, installation: Installation): Promise<undefined> {
  const { io } = recordingIo()
  const objects = [...(await rbacManifests(installation)), ...(await admissionManifests(installation))]
  await applyManifests(admin, objects, io, () => undefined)
  await environmentRoleFilled(admin)
}

/** Returns when the role of environments holds what is aggregated into it. */
export async function environmentRoleFilled(admin: KubeClient): Promise<undefined> {
  await waitFor(
    async () => {
      const role = await admin.get<KubeObject & { rules?: unknown[] }>({
        apiVersion: 'rbac.authorization.k8s.io/v1',
        kind: 'ClusterRole',
        name: 'offshoot-environment',
      })
      return (role?.rules ?? []).length > 0
    },
    { describe: 'ClusterRole offshoot-environment to be aggregated' },
  )
}
