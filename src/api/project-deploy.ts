import { z } from 'zod'
import { Sha } from './change.ts'
import { Duration, LocalReference, ObjectName } from './objects.ts'

/** Longest template string, in characters. */
const template = z.string().max(8192)

/** A value whose strings are templates, of any shape. */
const templatedValue = z.unknown().meta({ 'x-kubernetes-preserve-unknown-fields': true })

const refNames = z.string().min(1).max(1024)

/** Where the Kluctl project is: in the change's own repository, or a trusted one elsewhere. */
const KluctlProject = z
  .strictObject({
    path: z.string().max(1024).default('').describe('Folder of the Kluctl project inside the repository'),
    url: z.string().min(1).max(2048).optional().describe('A trusted repository; absent: the change’s own'),
    ref: z
      .strictObject({ branch: refNames.optional(), tag: refNames.optional(), commit: Sha.optional() })
      .optional()
      .meta({
        'x-kubernetes-validations': [
          {
            rule: '(has(self.branch) ? 1 : 0) + (has(self.tag) ? 1 : 0) + (has(self.commit) ? 1 : 0) == 1',
            message: 'exactly one of branch, tag and commit',
          },
        ],
      }),
  })
  .meta({
    'x-kubernetes-validations': [
      { rule: 'has(self.url) == has(self.ref)', message: 'url and ref go together: a trusted project needs both' },
    ],
  })

/** An entry of KluctlDeployment's `spec.images`; strings are templates. */
const FixedImage = z.strictObject({
  image: template.optional(),
  imageRegex: template.optional(),
  resultImage: template.describe('The image to use'),
  deployedImage: template.optional(),
  namespace: template.optional(),
  object: z
    .strictObject({
      group: z.string().optional(),
      version: z.string().optional(),
      kind: z.string(),
      name: template,
      namespace: template.optional(),
    })
    .optional(),
  deployment: template.optional(),
  container: template.optional(),
  deployTags: z.array(z.string()).max(100).optional(),
  deploymentDir: z.string().optional(),
})
export type FixedImage = z.infer<typeof FixedImage>

const credentials = (key: Record<string, z.ZodType>) =>
  z
    .array(z.strictObject({ ...key, secretRef: LocalReference }))
    .max(20)
    .optional()

const names = z.array(z.string().max(512)).max(100).optional()

/** Fields of KluctlDeployment that pass through unchanged (gitops.kluctl.io/v1beta1). */
const kluctlPassThrough = {
  interval: Duration.default('5m').describe('How often kluctl looks by itself'),
  retryInterval: Duration.optional(),
  deployInterval: Duration.optional(),
  validateInterval: Duration.optional(),
  timeout: Duration.optional(),
  prune: z.boolean().default(true),
  deployMode: z.enum(['full-deploy', 'poke-images']).optional(),
  abortOnError: z.boolean().optional(),
  forceApply: z.boolean().optional(),
  replaceOnError: z.boolean().optional(),
  forceReplaceOnError: z.boolean().optional(),
  noWait: z.boolean().optional(),
  includeTags: names,
  excludeTags: names,
  includeDeploymentDirs: names,
  excludeDeploymentDirs: names,
  credentials: z
    .strictObject({
      git: credentials({ host: z.string().max(253), path: z.string().max(1024).optional() }),
      helm: credentials({ host: z.string().max(253), path: z.string().max(1024).optional() }),
      oci: credentials({ registry: z.string().max(253), repository: z.string().max(1024).optional() }),
    })
    .optional()
    .describe('Secrets of the project’s namespace that kluctl uses'),
  decryption: z
    .strictObject({
      provider: z.enum(['sops']),
      secretRef: LocalReference.optional(),
      serviceAccount: ObjectName.optional(),
    })
    .optional(),
}

/** Backend `kluctlDeployment`: the kluctl controller deploys. */
export const KluctlDeploymentBackend = z
  .strictObject({
    project: KluctlProject.prefault({}),
    target: template.describe('Name of the target; a template').optional(),
    args: z.record(z.string(), templatedValue).default({}).describe('Arguments of the target; strings are templates'),
    images: z.array(FixedImage).max(100).default([]).describe('Fixed images; strings are templates'),
    context: template.optional().describe('Name of the kubeconfig context; a template'),
    ...kluctlPassThrough,
  })
  .describe('Deploy by a KluctlDeployment, which the kluctl controller carries out')
export type KluctlDeploymentBackend = z.infer<typeof KluctlDeploymentBackend>

/** One Kubernetes object whose strings are templates. */
const Manifest = z
  .looseObject({
    apiVersion: z.string().min(1).max(317),
    kind: z.string().min(1).max(63),
    metadata: z
      .looseObject({ name: template.min(1) })
      .meta({ type: 'object', 'x-kubernetes-preserve-unknown-fields': true }),
  })
  .meta({ type: 'object', 'x-kubernetes-preserve-unknown-fields': true })

/** Backend `objects`: Offshoot applies the given objects itself. */
export const ObjectsBackend = z
  .strictObject({
    manifests: z.array(Manifest).min(1).max(100).describe('Kubernetes objects; every string in them is a template'),
    serviceAccountName: ObjectName.optional().describe(
      'Account of the project’s namespace to apply as, for objects outside the environment’s namespace; default: the environment’s own',
    ),
  })
  .describe('Deploy by applying templated objects: Flux, Argo CD or plain ones')
export type ObjectsBackend = z.infer<typeof ObjectsBackend>

/** Sources of variables that reach beyond the project; the rest (values, files, …) are always there. */
const varsSources = [
  'clusterConfigMap',
  'clusterSecret',
  'clusterObject',
  'http',
  'awsSecretsManager',
  'gcpSecretManager',
  'azureKeyVault',
  'vault',
] as const

/** Backend `engine`: Offshoot's own Kluctl-compatible engine deploys. */
export const EngineBackend = z
  .strictObject({
    project: KluctlProject.prefault({}),
    target: template.describe('Name of the target; a template').optional(),
    args: z.record(z.string(), templatedValue).default({}).describe('Arguments of the target; strings are templates'),
    images: z.array(FixedImage).max(100).default([]).describe('Fixed images; strings are templates'),
    interval: Duration.default('10m').describe('How often what runs is compared with the project'),
    prune: z.boolean().default(true).describe('Delete what the project no longer has'),
    runner: z
      .enum(['inline', 'job'])
      .default('inline')
      .describe('Where the engine works: in the controller, or in a Job of its image in the project’s namespace'),
    readinessTimeout: Duration.default('10m').describe('How long objects may take to become ready'),
    keepResults: z
      .int()
      .min(0)
      .max(20)
      .default(5)
      .describe('Results of deployments kept in the environment’s namespace, as kluctl keeps them; 0: none'),
    allow: z
      .strictObject({
        vars: z
          .array(z.enum(varsSources))
          .max(varsSources.length)
          .default([])
          .describe('Sources of variables that the project may use, read as the environment’s account'),
        urls: z
          .array(z.string().min(1).max(2048))
          .max(100)
          .default([])
          .describe('Beginnings of the addresses (Git, OCI, charts, http) that the project may use besides its own'),
      })
      .prefault({})
      .describe('What the project may reach; nobody may have reviewed it, so by default only its own repository'),
  })
  .describe('Deploy by Offshoot’s own Kluctl-compatible engine, as the environment’s account')
export type EngineBackend = z.infer<typeof EngineBackend>

/** The fields of `spec.deploy`, one for each backend. */
export const backendNames = ['kluctlDeployment', 'engine', 'objects'] as const
export type BackendName = (typeof backendNames)[number]

/** `spec.deploy` of a ReviewProject: exactly one backend. */
export const Deploy = z
  .strictObject({
    kluctlDeployment: KluctlDeploymentBackend.optional(),
    engine: EngineBackend.optional(),
    objects: ObjectsBackend.optional(),
  })
  .describe('How an environment is deployed: exactly one backend')
  .meta({
    'x-kubernetes-validations': [
      {
        rule: '(has(self.kluctlDeployment) ? 1 : 0) + (has(self.engine) ? 1 : 0) + (has(self.objects) ? 1 : 0) == 1',
        message: 'exactly one of kluctlDeployment, engine and objects',
      },
    ],
  })
export type Deploy = z.infer<typeof Deploy>
