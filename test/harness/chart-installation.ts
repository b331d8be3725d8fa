import type { Installation } from '../../src/cli/manifests.ts'
import type { KubeClient } from '../../src/kube/client.ts'
import { chartFolder, helm, type RenderedDeployment, settingsIn, valueFlags } from './helm.ts'
import { environmentRoleFilled, type Installer } from './installation.ts'

/** Where a pod has its files and ports is not where a process of a test may have them. */
const podsOwn = new Set(['listen', 'metricsListen', 'cacheFolder', 'tempFolder', 'namespace'])

/**
 * `helm install` of the chart with real helm; gives the flags with which its Deployment runs Offshoot. A release that
 * exists is upgraded.
 */
export function chartInstaller(values: Readonly<Record<string, unknown>> = {}, flags: string[] = []): Installer {
  return async (admin, installation, adminKubeconfig) => {
    const { name, controllerNamespace, projectNamespaces, allowedClusterRoles } = installation
    const all = { projectNamespaces, allowedClusterRoles, ...values }
    const place = ['--namespace', controllerNamespace, '--create-namespace', ...flags]
    await helm(['upgrade', '--install', name, chartFolder, ...place, ...valueFlags(all)], adminKubeconfig)
    admin.invalidate()
    await environmentRoleFilled(admin)
    return serveSettings(admin, installation)
  }
}

async function serveSettings(admin: KubeClient, { name, controllerNamespace: namespace }: Installation) {
  const key = { apiVersion: 'apps/v1', kind: 'Deployment', namespace, name }
  const deployment = await admin.get<RenderedDeployment>(key)
  if (deployment === undefined) throw new Error(`no Deployment ${namespace}/${name}`)
  return Object.fromEntries(Object.entries(settingsIn(deployment)).filter(([setting]) => !podsOwn.has(setting)))
}
