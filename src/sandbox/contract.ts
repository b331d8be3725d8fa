/** The kinds of one group and version that the sandbox serves. */
export interface PromisedGroup {
  apiVersion: string
  kinds: readonly string[]
}

/**
 * What the sandbox promises: these kinds, and CustomResourceDefinitions for all others. The contract tests hold it and
 * a real API server to the same expectations. Nothing outside this list is served.
 */
export const promisedGroups: readonly PromisedGroup[] = [
  {
    apiVersion: 'v1',
    kinds: [
      'ConfigMap',
      'Endpoints',
      'Event',
      'LimitRange',
      'Namespace',
      'Node',
      'PersistentVolume',
      'PersistentVolumeClaim',
      'Pod',
      'PodTemplate',
      'ReplicationController',
      'ResourceQuota',
      'Secret',
      'Service',
      'ServiceAccount',
    ],
  },
  { apiVersion: 'apps/v1', kinds: ['ControllerRevision', 'DaemonSet', 'Deployment', 'ReplicaSet', 'StatefulSet'] },
  { apiVersion: 'batch/v1', kinds: ['CronJob', 'Job'] },
  { apiVersion: 'autoscaling/v2', kinds: ['HorizontalPodAutoscaler'] },
  { apiVersion: 'networking.k8s.io/v1', kinds: ['Ingress', 'IngressClass', 'NetworkPolicy'] },
  { apiVersion: 'policy/v1', kinds: ['PodDisruptionBudget'] },
  {
    apiVersion: 'rbac.authorization.k8s.io/v1',
    kinds: ['ClusterRole', 'ClusterRoleBinding', 'Role', 'RoleBinding'],
  },
  { apiVersion: 'coordination.k8s.io/v1', kinds: ['Lease'] },
  { apiVersion: 'events.k8s.io/v1', kinds: ['Event'] },
  { apiVersion: 'discovery.k8s.io/v1', kinds: ['EndpointSlice'] },
  { apiVersion: 'storage.k8s.io/v1', kinds: ['StorageClass'] },
  { apiVersion: 'scheduling.k8s.io/v1', kinds: ['PriorityClass'] },
  {
    apiVersion: 'admissionregistration.k8s.io/v1',
    kinds: [
      'MutatingWebhookConfiguration',
      'ValidatingAdmissionPolicy',
      'ValidatingAdmissionPolicyBinding',
      'ValidatingWebhookConfiguration',
    ],
  },
  { apiVersion: 'apiextensions.k8s.io/v1', kinds: ['CustomResourceDefinition'] },
  { apiVersion: 'authentication.k8s.io/v1', kinds: ['SelfSubjectReview', 'TokenReview'] },
  {
    apiVersion: 'authorization.k8s.io/v1',
    kinds: ['LocalSubjectAccessReview', 'SelfSubjectAccessReview', 'SelfSubjectRulesReview', 'SubjectAccessReview'],
  },
]

/** Subresources that work; others of the real API (`exec`, `proxy`, `portforward`, …) are not served. */
export const promisedSubresources: ReadonlySet<string> = new Set(['status', 'scale', 'finalize', 'token', 'log'])

/** Verbs of ordinary kinds; reviews have `create` only. */
export const promisedVerbs = [
  'create',
  'delete',
  'deletecollection',
  'get',
  'list',
  'patch',
  'update',
  'watch',
] as const

/** What a user of the sandbox must know, in one sentence each. */
export const limits: readonly string[] = [
  'No RBAC and no admission: whoever reaches it may do everything; it listens on loopback only.',
  'No containers run: pods of workloads are marked ready, jobs as complete, and there are no logs.',
  'Everything is in memory and ends with the process.',
]
