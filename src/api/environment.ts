import { z } from 'zod'
import { ChangeFacts, ChangeIdentity, Sha } from './change.ts'
import { Condition } from './conditions.ts'
import type { apiVersion } from './meta.ts'
import { Blocker, InventoryEntry, LocalReference, type ObjectMeta } from './objects.ts'
import { backendNames } from './project-deploy.ts'

/** Where an environment is in its life; the printer column STATE. */
export const environmentStates = ['Waiting', 'Pending', 'Deploying', 'Ready', 'Failed', 'Deleting', 'Blocked'] as const
export type EnvironmentState = (typeof environmentStates)[number]

/** `spec` of a ReviewEnvironment. */
export const ReviewEnvironmentSpec = z
  .strictObject({
    projectRef: LocalReference.describe('The ReviewProject, in the same namespace'),
    change: ChangeIdentity,
    origin: z
      .enum(['automatic', 'manual'])
      .default('manual')
      .describe('manual: made by a person, and never removed by a listing, only by the end of its change or by hand'),
    revision: Sha.optional().describe('Commit to deploy; kept at the head of the change by the controller'),
  })
  .meta({
    'x-kubernetes-validations': [
      { rule: 'self.projectRef == oldSelf.projectRef', message: 'projectRef cannot be changed' },
      { rule: 'self.change == oldSelf.change', message: 'change cannot be changed' },
      { rule: 'self.origin == oldSelf.origin', message: 'origin cannot be changed' },
    ],
  })
export type ReviewEnvironmentSpec = Omit<z.infer<typeof ReviewEnvironmentSpec>, 'change'> & {
  change: import('./change.ts').ChangeIdentity
}

const time = z.iso.datetime().optional()

/** When each step of an environment's life last happened. */
export const EnvironmentTimes = z.strictObject({
  requested: time.describe('The wanted commit was first seen'),
  admitted: time.describe('A place within the limit was given'),
  namespaceCreated: time,
  applied: time.describe('The backend was given the wanted commit'),
  ready: time.describe('The wanted commit became ready'),
  teardownStarted: time,
  backendGone: time.describe('The backend’s object and what it deployed were gone'),
  namespaceGone: time,
})
export type EnvironmentTimes = z.infer<typeof EnvironmentTimes>

/** What backend `engine` last did. */
const EngineRecord = z
  .strictObject({
    digest: z.string().max(64).describe('Of everything the deployment was made from'),
    revision: Sha,
    result: z.enum(['succeeded', 'failed']),
    finished: z.iso.datetime(),
    compared: time.describe('When what runs was last compared with the project'),
    objects: z.int().min(0).describe('Objects that the project renders'),
    changed: z.int().min(0).describe('Objects that were created or changed'),
    deleted: z.int().min(0),
    job: z.string().max(63).optional().describe('Name of the Job that deployed, in the project’s namespace'),
    resultId: z
      .string()
      .max(64)
      .optional()
      .describe('ID of its result in the environment’s namespace, unless nothing changed'),
    byHand: z.boolean().optional().describe('Somebody deployed something else since, from their own working tree'),
    drifted: z.int().min(0).optional().describe('Objects that differ from the project since'),
    unready: z.array(z.string().max(1024)).max(20).optional().describe('Objects that are not ready any more'),
    unreadySince: time.describe('When a comparison first found that'),
    failing: z.array(z.string().max(1024)).max(20).optional().describe('Objects that have failed since'),
    stages: z
      .array(z.array(z.string().max(253)).max(50))
      .max(20)
      .optional()
      .describe('Folders of the project’s items between its barriers, in order: they are removed the other way'),
    errors: z.array(z.string().max(1024)).max(20).optional(),
    warnings: z.array(z.string().max(1024)).max(20).optional(),
  })
  .describe('The last deployment by the engine')
export type EngineRecord = z.infer<typeof EngineRecord>

/** `status` of a ReviewEnvironment; every list in it is bounded. */
export const ReviewEnvironmentStatus = z.strictObject({
  observedGeneration: z.int().min(0).optional(),
  state: z.enum(environmentStates).optional(),
  conditions: z.array(Condition).max(10).optional(),
  summary: z.string().max(256).optional().describe('The change in a few words, for lists: #42 Add search'),
  change: ChangeFacts.optional(),
  admission: z
    .strictObject({
      admitted: z.boolean(),
      position: z.int().min(1).optional().describe('Place in the queue while waiting, the next is 1'),
      ahead: z.int().min(0).optional().describe('Environments that hold the limit’s places'),
    })
    .optional(),
  name: z.string().max(253).optional().describe('environment.name as rendered'),
  namespace: z.string().max(63).optional(),
  serviceAccount: z.string().max(253).optional().describe('The environment’s own account, in the project’s namespace'),
  url: z.string().max(2048).optional(),
  target: z.string().max(1024).optional(),
  args: z.record(z.string(), z.unknown()).optional().meta({ 'x-kubernetes-preserve-unknown-fields': true }),
  observedRevision: Sha.optional().describe('Commit the backend was last asked for'),
  deployedRevision: Sha.optional().describe('Commit that was last seen ready'),
  backend: z.enum(backendNames).optional().describe('Backend that holds objects of this environment'),
  discriminators: z
    .array(z.string().max(1024))
    .max(50)
    .optional()
    .describe('Every discriminator this environment ever deployed with'),
  engine: EngineRecord.optional(),
  inventory: z.array(InventoryEntry).max(500).optional().describe('Objects that may exist, recorded before applying'),
  appliedDigest: z.string().max(64).optional().describe('Digest of the objects that were last seen ready'),
  blockers: z.array(Blocker).max(20).optional().describe('What a teardown waits for'),
  blockerCount: z.int().min(0).optional(),
  times: EnvironmentTimes.optional(),
  feedback: z
    .strictObject({
      commentId: z.int().optional(),
      commentDigest: z.string().max(128).optional(),
      statusRevision: Sha.optional(),
      statusDigest: z.string().max(128).optional(),
    })
    .optional()
    .describe('What was last sent to the forge'),
})
export type ReviewEnvironmentStatus = z.infer<typeof ReviewEnvironmentStatus>

/** Custom resource: one environment. */
export interface ReviewEnvironment {
  apiVersion: typeof apiVersion
  kind: 'ReviewEnvironment'
  metadata: ObjectMeta & { namespace: string }
  spec: ReviewEnvironmentSpec
  status?: ReviewEnvironmentStatus
  [field: string]: unknown
}
