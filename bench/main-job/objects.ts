import type { KubeObject, ObjectKey } from '../../src/kube/types.ts'

/** Annotation that tells for which commit an object was written. */
export const shaAnnotation = 'bench.example.com/sha'

const kluctl = 'gitops.kluctl.io/v1beta1'

/** What an environment deploys, besides its Namespace: a ConfigMap and a KluctlDeployment, as templates. */
export const manifests = deployed('{{ change.sha }}')

/** The same three objects as plain ones, for the bare client. */
export function plainObjects(namespace: string, sha: string): KubeObject[] {
  const inside = deployed(sha).map(object => ({ ...object, metadata: { ...object.metadata, namespace } }))
  return [{ apiVersion: 'v1', kind: 'Namespace', metadata: { name: namespace } }, ...inside]
}

/** Keys of the three objects of one environment. */
export function keysIn(namespace: string): ObjectKey[] {
  return [
    { apiVersion: 'v1', kind: 'Namespace', name: namespace },
    { apiVersion: 'v1', kind: 'ConfigMap', namespace, name: 'config' },
    { apiVersion: kluctl, kind: 'KluctlDeployment', namespace, name: 'shop' },
  ]
}

function deployed(sha: string): KubeObject[] {
  const annotations = { [shaAnnotation]: sha }
  return [
    { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'config', annotations }, data: { version: sha } },
    {
      apiVersion: kluctl,
      kind: 'KluctlDeployment',
      metadata: { name: 'shop', annotations },
      spec: {
        source: { git: { url: 'https://git.example.com/acme/shop.git', ref: { commit: sha } } },
        target: 'preview',
        context: 'default',
        prune: true,
        delete: true,
        interval: '1h',
        args: { version: sha },
      },
    },
  ]
}

/** Lets environments' accounts deploy KluctlDeployments, as an installation does that wants it. */
export const kluctlRights: KubeObject = {
  apiVersion: 'rbac.authorization.k8s.io/v1',
  kind: 'ClusterRole',
  metadata: { name: 'bench-kluctldeployments', labels: { 'offshoot.dev/aggregate-to-environment': 'true' } },
  rules: [
    {
      apiGroups: ['gitops.kluctl.io'],
      resources: ['kluctldeployments'],
      verbs: ['get', 'list', 'watch', 'create', 'update', 'patch', 'delete'],
    },
  ],
}
