import { z } from 'zod'
import { ObjectName } from '../../api/index.ts'

const environmentName = z
  .string()
  .regex(/^[A-Za-z_][A-Za-z0-9_]{0,127}$/, 'expected the name of an environment variable')
  .refine(name => name !== 'HOME', 'expected another variable: Jobs have a HOME of their own')
const id = z
  .int()
  .min(1)
  .max(2 ** 31 - 1)
const quantity = z
  .string()
  .regex(
    /^[0-9.]{1,20}([eE][+-]?[0-9]{1,3}|m|k|M|G|T|P|E|Ki|Mi|Gi|Ti|Pi|Ei)?$/,
    'expected a quantity such as 500m or 2Gi',
  )
const quantities = z.record(z.string().min(1).max(253), quantity)

const toleration = z.strictObject({
  key: z.string().max(317).optional(),
  operator: z.enum(['Exists', 'Equal', 'Lt', 'Gt']).optional(),
  value: z.string().max(63).optional(),
  effect: z.enum(['NoSchedule', 'PreferNoSchedule', 'NoExecute']).optional(),
  tolerationSeconds: z.int().optional(),
})

/**
 * What an installation gives the pods of Jobs, in Kubernetes' own fields. What holds for them everywhere (the account,
 * no root, no privileges, a read-only root) is not among it; nor is anything that would have to be in the project's
 * namespace, but for the Secrets that nodes pull the image with.
 */
export const JobPod = z.strictObject({
  env: z
    .array(z.strictObject({ name: environmentName, value: z.string().max(8192) }))
    .max(50)
    .refine(all => new Set(all.map(({ name }) => name)).size === all.length, 'expected each variable once')
    .default([]),
  imagePullPolicy: z.enum(['Always', 'IfNotPresent', 'Never']).optional(),
  imagePullSecrets: z
    .array(z.strictObject({ name: ObjectName }))
    .max(20)
    .default([]),
  nodeSelector: z.record(z.string().min(1).max(317), z.string().max(63)).default({}),
  tolerations: z.array(toleration).max(50).default([]),
  securityContext: z
    .strictObject({ runAsUser: id.optional(), runAsGroup: id.optional(), fsGroup: id.optional() })
    .default({}),
  resources: z
    .strictObject({ requests: quantities.optional(), limits: quantities.optional() })
    .default({ requests: { cpu: '100m', memory: '256Mi' }, limits: { cpu: '2', memory: '2Gi' } }),
})
export type JobPod = z.infer<typeof JobPod>
