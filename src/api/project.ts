import { z } from 'zod'
import { Condition } from './conditions.ts'
import type { apiVersion } from './meta.ts'
import { Duration, LocalReference, type ObjectMeta } from './objects.ts'
import { Changes } from './project-changes.ts'
import { Deploy } from './project-deploy.ts'

const template = z.string().max(8192)

const Forge = z.strictObject({
  type: z.enum(['github', 'git']).describe('Which API the Git host speaks; git is any bare server, with branches only'),
  apiUrl: z
    .string()
    .max(2048)
    .regex(/^https?:\/\//, 'expected a URL that begins with https:// or http://')
    .optional()
    .describe('Base of the REST API; default: derived from source.url'),
  secretRef: LocalReference.optional().describe(
    'Secret of this namespace with the keys token (API and Git), or appId, privateKey and optionally installationId of a GitHub App, and webhookSecret (one per line, for rotation)',
  ),
})

/** `spec.source`: the repository and its Git host. */
export const Source = z.strictObject({
  url: z.string().min(1).max(2048).describe('Clone URL of the repository'),
  forge: Forge.describe('The Git host'),
  interval: Duration.default('5m').describe('How often to list the changes: the safety net behind webhooks'),
})

const stringMap = z.record(z.string().max(317), template)

/** `spec.environment`: what an environment is called and what it may do. */
export const EnvironmentSettings = z.strictObject({
  name: template.default('{{ project.name }}-{{ change.slug }}').describe('Name for people and URLs; a template'),
  namespace: z
    .strictObject({
      name: template.default('{{ environment.name }}').describe('Name of the namespace; a template, fixed at creation'),
      labels: stringMap.default({}).describe('Labels of the namespace; values are templates'),
      annotations: stringMap.default({}).describe('Annotations of the namespace; values are templates'),
    })
    .prefault({}),
  clusterRole: z
    .string()
    .min(1)
    .max(253)
    .default('offshoot-environment')
    .describe('ClusterRole the environment’s own account is bound to in its namespace; one the installation allows'),
  limit: z.int().min(0).max(50_000).default(20).describe('How many environments at once; the oldest changes go first'),
})

/** `spec.configFile`: what a branch may say about its own environment. */
export const ConfigFileSettings = z.strictObject({
  path: z.string().min(1).max(1024).default('.offshoot.yaml').describe('Path of the file in the change’s own commit'),
  allow: z
    .array(
      z.string().regex(/^(args\.[A-Za-z_][A-Za-z0-9_]*|images|enabled)$/, 'expected args.<name>, images or enabled'),
    )
    .max(100)
    .default([])
    .describe('What the file may override: args.<name>, images, enabled; empty: the file is not read'),
})

/** `spec.feedback`: what people see on the change. */
export const FeedbackSettings = z.strictObject({
  comment: z.boolean().default(true).describe('One comment on the pull request, kept up to date'),
  status: z.boolean().default(true).describe('A commit status on the head commit'),
  url: template.default('').describe('Address of the running environment; a template'),
})

/** `spec` of a ReviewProject. */
export const ReviewProjectSpec = z
  .strictObject({
    suspend: z
      .boolean()
      .default(false)
      .describe('Stops creates, updates and deletes that come from the Git host; deletes by hand still work'),
    source: Source,
    changes: Changes.prefault({}).describe('Which changes get an environment'),
    environment: EnvironmentSettings.prefault({}),
    configFile: ConfigFileSettings.prefault({}),
    deploy: Deploy,
    feedback: FeedbackSettings.prefault({}),
  })
  .meta({
    'x-kubernetes-validations': [
      {
        rule: "self.source.forge.type != 'git' || !has(self.changes) || !has(self.changes.pullRequests)",
        message: 'a bare Git server has no pull requests: remove changes.pullRequests or choose another forge type',
      },
      {
        rule: "!has(self.changes) || !has(self.changes.pullRequests) || !has(self.changes.pullRequests.forks) || self.changes.pullRequests.forks == 'deny' || !has(self.deploy.kluctlDeployment) || (has(self.deploy.kluctlDeployment.project) && has(self.deploy.kluctlDeployment.project.url))",
        message: 'forks: allow needs deploy.kluctlDeployment.project.url and ref: kluctl cannot fetch a fork’s commit',
      },
    ],
  })
export type ReviewProjectSpec = z.infer<typeof ReviewProjectSpec>

const count = z.int().min(0)

/** `status` of a ReviewProject; bounded, it never lists the changes. */
export const ReviewProjectStatus = z.strictObject({
  observedGeneration: z.int().min(0).optional(),
  conditions: z.array(Condition).max(10).optional(),
  environments: count.optional().describe('Environments of this project'),
  ready: count.optional().describe('Environments that are ready'),
  waiting: count.optional().describe('Changes that wait because the limit is reached'),
  lastListing: z
    .strictObject({
      time: z.iso.datetime().describe('End of the last complete listing'),
      changes: count.describe('Open changes it held'),
      qualifying: count.describe('Changes that get an environment'),
    })
    .optional(),
  heldDeletes: z
    .strictObject({
      count: count,
      since: z.iso.datetime(),
      reason: z.string().max(1024),
      evidence: z.string().max(128).describe('Digest of the listing that asked for the deletes'),
    })
    .optional()
    .describe('Deletes that wait until the next listing agrees'),
  recentDeletes: z
    .array(z.strictObject({ time: z.iso.datetime(), count: count }))
    .max(60)
    .optional()
    .describe('Deletes by absence or by an edited filter within the last ten minutes, for the guard'),
})
export type ReviewProjectStatus = z.infer<typeof ReviewProjectStatus>

/** Custom resource: a repository, which of its changes get environments, and how they are deployed. */
export interface ReviewProject {
  apiVersion: typeof apiVersion
  kind: 'ReviewProject'
  metadata: ObjectMeta & { namespace: string }
  spec: ReviewProjectSpec
  status?: ReviewProjectStatus
  [field: string]: unknown
}
