import type { KubeObject } from '../../../src/kube/types.ts'

const labels = { app: 'web' }
const container = { name: 'web', image: 'nginx:1.27' }
const template = { metadata: { labels }, spec: { containers: [container] } }
const batch = { spec: { restartPolicy: 'Never', containers: [{ name: 'job', image: 'busybox' }] } }

/** Small manifests of many kinds; both servers must make the same objects of them. */
export const manifests: readonly KubeObject[] = [
  {
    apiVersion: 'v1',
    kind: 'ConfigMap',
    metadata: { name: 'c', labels, annotations: { 'a.b/c': 'd' } },
    data: { a: '1' },
  },
  { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'c-binary' }, binaryData: { a: 'MQ==' }, immutable: true },
  { apiVersion: 'v1', kind: 'Secret', metadata: { name: 's' }, stringData: { a: 'x' }, data: { b: 'eA==' } },
  { apiVersion: 'v1', kind: 'Secret', metadata: { name: 's-typed' }, type: 'example.com/kind', data: {} },
  { apiVersion: 'v1', kind: 'ServiceAccount', metadata: { name: 'sa' }, imagePullSecrets: [{ name: 's' }] },
  { apiVersion: 'v1', kind: 'Service', metadata: { name: 'svc' }, spec: { selector: labels, ports: [{ port: 80 }] } },
  {
    apiVersion: 'v1',
    kind: 'Service',
    metadata: { name: 'svc-two' },
    spec: {
      ports: [
        { name: 'a', port: 80, targetPort: 'http' },
        { name: 'b', port: 80, protocol: 'UDP' },
      ],
    },
  },
  {
    apiVersion: 'v1',
    kind: 'Service',
    metadata: { name: 'svc-none' },
    spec: { clusterIP: 'None', ports: [{ port: 1 }] },
  },
  {
    apiVersion: 'v1',
    kind: 'Service',
    metadata: { name: 'svc-name' },
    spec: { type: 'ExternalName', externalName: 'example.com' },
  },
  {
    apiVersion: 'v1',
    kind: 'PersistentVolumeClaim',
    metadata: { name: 'pvc' },
    spec: { accessModes: ['ReadWriteOnce'], storageClassName: 'fast', resources: { requests: { storage: '1Gi' } } },
  },
  { apiVersion: 'v1', kind: 'ResourceQuota', metadata: { name: 'quota' }, spec: { hard: { pods: '4' } } },
  {
    apiVersion: 'v1',
    kind: 'LimitRange',
    metadata: { name: 'range' },
    spec: { limits: [{ type: 'Pod', max: { cpu: '2' } }] },
  },
  {
    apiVersion: 'apps/v1',
    kind: 'Deployment',
    metadata: { name: 'd', labels },
    spec: { selector: { matchLabels: labels }, template },
  },
  {
    apiVersion: 'apps/v1',
    kind: 'Deployment',
    metadata: { name: 'd-full' },
    spec: {
      replicas: 0,
      strategy: { type: 'Recreate' },
      selector: { matchLabels: labels },
      template: {
        metadata: { labels },
        spec: {
          serviceAccountName: 'sa',
          initContainers: [
            { name: 'init', image: 'busybox@sha256:0123456789012345678901234567890123456789012345678901234567890123' },
          ],
          containers: [
            {
              name: 'web',
              image: 'nginx',
              ports: [{ containerPort: 80 }, { containerPort: 81, protocol: 'UDP', name: 'dns' }],
              env: [
                { name: 'A', value: 'b' },
                { name: 'POD', valueFrom: { fieldRef: { fieldPath: 'metadata.name' } } },
                { name: 'S', valueFrom: { secretKeyRef: { name: 's', key: 'a' } } },
              ],
              livenessProbe: { httpGet: { port: 80 } },
              readinessProbe: { tcpSocket: { port: 'dns' }, periodSeconds: 3 },
              resources: { limits: { cpu: '0.5', memory: '128Mi' } },
              volumeMounts: [{ name: 'data', mountPath: '/data' }],
              lifecycle: { preStop: { httpGet: { port: 80 } } },
            },
          ],
          volumes: [
            { name: 'data', emptyDir: {} },
            { name: 'c', configMap: { name: 'c' } },
            { name: 's', secret: { secretName: 's' } },
            { name: 'h', hostPath: { path: '/x' } },
            { name: 'p', projected: { sources: [{ serviceAccountToken: { path: 't' } }] } },
          ],
        },
      },
    },
  },
  {
    apiVersion: 'apps/v1',
    kind: 'StatefulSet',
    metadata: { name: 'st' },
    spec: {
      replicas: 0,
      serviceName: 'svc',
      selector: { matchLabels: labels },
      template,
      volumeClaimTemplates: [
        {
          metadata: { name: 'v' },
          spec: { accessModes: ['ReadWriteOnce'], resources: { requests: { storage: '1Gi' } } },
        },
      ],
    },
  },
  {
    apiVersion: 'apps/v1',
    kind: 'DaemonSet',
    metadata: { name: 'ds' },
    spec: { selector: { matchLabels: labels }, template },
  },
  {
    apiVersion: 'apps/v1',
    kind: 'ReplicaSet',
    metadata: { name: 'rs' },
    spec: { replicas: 0, selector: { matchLabels: labels }, template },
  },
  { apiVersion: 'batch/v1', kind: 'Job', metadata: { name: 'j' }, spec: { suspend: true, template: batch } },
  {
    apiVersion: 'batch/v1',
    kind: 'CronJob',
    metadata: { name: 'cj' },
    spec: { schedule: '0 0 1 1 *', jobTemplate: { spec: { template: batch } } },
  },
  {
    apiVersion: 'autoscaling/v2',
    kind: 'HorizontalPodAutoscaler',
    metadata: { name: 'hpa' },
    spec: { maxReplicas: 3, scaleTargetRef: { apiVersion: 'apps/v1', kind: 'Deployment', name: 'nothing' } },
  },
  {
    apiVersion: 'networking.k8s.io/v1',
    kind: 'Ingress',
    metadata: { name: 'ing' },
    spec: {
      rules: [
        {
          host: 'a.example.com',
          http: {
            paths: [{ path: '/', pathType: 'Prefix', backend: { service: { name: 'svc', port: { number: 80 } } } }],
          },
        },
      ],
    },
  },
  {
    apiVersion: 'networking.k8s.io/v1',
    kind: 'NetworkPolicy',
    metadata: { name: 'np' },
    spec: { podSelector: {}, ingress: [{ ports: [{ port: 80 }] }] },
  },
  {
    apiVersion: 'policy/v1',
    kind: 'PodDisruptionBudget',
    metadata: { name: 'pdb' },
    spec: { minAvailable: '50%', selector: { matchLabels: { none: 'x' } } },
  },
  {
    apiVersion: 'rbac.authorization.k8s.io/v1',
    kind: 'Role',
    metadata: { name: 'r:x' },
    rules: [{ apiGroups: [''], resources: ['pods'], verbs: ['get'] }],
  },
  {
    apiVersion: 'rbac.authorization.k8s.io/v1',
    kind: 'RoleBinding',
    metadata: { name: 'rb' },
    roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind: 'Role', name: 'r:x' },
    subjects: [
      { kind: 'ServiceAccount', name: 'sa' },
      { kind: 'User', name: 'jane' },
    ],
  },
  {
    apiVersion: 'coordination.k8s.io/v1',
    kind: 'Lease',
    metadata: { name: 'l' },
    spec: { holderIdentity: 'me', leaseDurationSeconds: 15, renewTime: '2026-01-02T03:04:05.000006Z' },
  },
  {
    apiVersion: 'discovery.k8s.io/v1',
    kind: 'EndpointSlice',
    metadata: { name: 'es' },
    addressType: 'IPv4',
    endpoints: [{ addresses: ['10.0.0.1'] }],
    ports: [{ port: 80 }],
  },
]
