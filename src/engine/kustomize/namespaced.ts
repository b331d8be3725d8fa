const core = [
  'ConfigMap',
  'Endpoints',
  'LimitRange',
  'PersistentVolumeClaim',
  'Pod',
  'ReplicationController',
  'ResourceQuota',
  'Secret',
  'Service',
  'ServiceAccount',
]

const namespaced: Readonly<Record<string, readonly string[]>> = {
  v1: core,
  'apps/v1': ['DaemonSet', 'Deployment', 'ReplicaSet', 'StatefulSet'],
  'autoscaling/v1': ['HorizontalPodAutoscaler'],
  'autoscaling/v2': ['HorizontalPodAutoscaler'],
  'batch/v1': ['CronJob', 'Job'],
  'networking.k8s.io/v1': ['Ingress', 'NetworkPolicy'],
  'policy/v1': ['PodDisruptionBudget'],
  'rbac.authorization.k8s.io/v1': ['Role'],
}

/**
 * Whether setting Kustomize's `namespace` does nothing to an object of this kind but set `metadata.namespace`. Others
 * stay as they are (cluster-scoped kinds), are renamed (Namespace) or change in more places (bindings, webhooks).
 */
export function takesNamespace(apiVersion: string, kind: string): boolean {
  return namespaced[apiVersion]?.includes(kind) === true
}
