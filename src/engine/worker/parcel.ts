import { z } from 'zod'
import { type DeploymentItem, type DeploymentProject, outwards } from '../deployment/tree.ts'
import { EngineError } from '../errors.ts'
import { SensitiveTexts } from '../plan/sensitive.ts'
import { deploymentItem, deploymentProject } from '../project/schema/deployment.ts'
import type { ItemObjects } from '../render/items.ts'
import type { TargetRun } from '../render/target-run.ts'
import { type ToldTarget, toldTarget } from '../result/new-result.ts'
import { emptyObject } from '../values.ts'
import { plain } from '../vars/remote.ts'

const reference = z.strictObject({
  group: z.string().optional(),
  kind: z.string().optional(),
  name: z.string(),
  namespace: z.string().optional(),
})

const packedItem = z.strictObject({
  path: z.string().optional(),
  tags: z.array(z.string()),
  message: z.string().optional(),
  deleteObjects: z.array(reference).optional(),
  waitReadinessObjects: z.array(reference).optional(),
  barrier: z.boolean(),
  waitReadiness: z.boolean(),
  /** `ignoreForDiff` and `conflictResolution` of the projects around the item, from the inside out. */
  rules: z.array(z.unknown()).min(1).max(1_000),
  objects: z.array(z.record(z.string(), z.unknown())),
})

const parcel = z.strictObject({
  target: z.string(),
  discriminator: z.string(),
  /** Texts of sensitive variables, for whoever tells of the objects. */
  sensitive: z.union([z.literal('all'), z.array(z.string()).max(10_000)]),
  items: z.array(packedItem).max(100_000),
  /** What results tell of it; nothing is done by it. */
  told: z.strictObject({
    target: z.record(z.string(), z.unknown()),
    args: z.record(z.string(), z.unknown()),
    deployment: z.record(z.string(), z.unknown()),
    images: z.array(z.record(z.string(), z.unknown())),
  }),
})
type Parcel = z.input<typeof parcel>

/** A rendered target as far as a deployment needs it. */
export interface RenderedDeployment {
  readonly target: string
  readonly discriminator: string
  readonly items: readonly ItemObjects[]
  /** What of it must not be shown anywhere. */
  readonly sensitive: SensitiveTexts
  readonly told: ToldTarget
}

/** A rendered target as plain data. Of its variables only the texts of sensitive ones are in it, to be hidden. */
export function pack(run: TargetRun): Parcel {
  const { target, items, loadedVars } = run
  const { told } = new SensitiveTexts(loadedVars)
  return {
    target: target.name,
    discriminator: target.discriminator ?? '',
    sensitive: told === 'all' ? told : [...told],
    items: items.map(packItem),
    told: toldTarget(run) as unknown as Parcel['told'],
  }
}

function packItem({ item, objects, barrier, waitReadiness }: ItemObjects): Parcel['items'][number] {
  const { message, deleteObjects, waitReadinessObjects } = item.config
  const rules = [...outwards(item.project)].map(({ project: { config } }) => {
    const { ignoreForDiff = [], conflictResolution = [] } = config
    return { ignoreForDiff, conflictResolution }
  })
  return {
    ...(item.path === undefined ? {} : { path: item.path }),
    ...(message === undefined ? {} : { message }),
    ...(deleteObjects === undefined ? {} : { deleteObjects }),
    ...(waitReadinessObjects === undefined ? {} : { waitReadinessObjects }),
    tags: [...item.tags],
    barrier: barrier || item.config.barrier,
    waitReadiness: waitReadiness || item.config.waitReadiness,
    rules,
    objects: [...objects],
  }
}

/** Makes items of what a worker sent, which is not believed to be of the right form. @throws EngineError */
export function unpack(value: unknown): RenderedDeployment {
  const parsed = parcel.safeParse(value)
  if (!parsed.success) throw new EngineError(`the worker’s answer has the wrong form: ${z.prettifyError(parsed.error)}`)
  const { target, discriminator, sensitive, items, told } = parsed.data
  return {
    target,
    discriminator,
    items: items.map(unpackItem),
    sensitive: SensitiveTexts.from(sensitive),
    told: plain(told) as unknown as ToldTarget,
  }
}

function unpackItem({
  rules,
  objects,
  barrier,
  waitReadiness,
  path,
  tags,
  ...rest
}: z.output<typeof packedItem>): ItemObjects {
  const config = { ...deploymentItem.parse({}), ...rest, barrier, waitReadiness }
  const item: DeploymentItem = {
    project: projectOf(rules),
    config: config as DeploymentItem['config'],
    variables: emptyObject(),
    loadedVars: [],
    tags,
    path,
    renderedPath: path,
  }
  return {
    item,
    objects: objects.map(object => plain(object) as ItemObjects['objects'][number]),
    barrier,
    waitReadiness,
  }
}

/** Projects that hold the rules and nothing else: their files are gone with the worker. */
function projectOf(rules: readonly unknown[]): DeploymentProject {
  let project: DeploymentProject | undefined
  for (const layer of rules.toReversed()) {
    const config = deploymentProject.safeParse(layer)
    if (!config.success) throw new EngineError('the worker’s answer has rules of the wrong form')
    project = {
      source: { root: '', id: '0' },
      path: '.',
      folder: '',
      config: config.data,
      given: emptyObject(),
      variables: emptyObject(),
      loadedVars: [],
      enabled: true,
      parent: project,
      includedBy: undefined,
      includes: new Map(),
    }
  }
  if (project === undefined) throw new EngineError('the worker’s answer has no rules')
  return project
}
