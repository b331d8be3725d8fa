import type { ChangeFacts, ReviewProject } from '../api/index.ts'
import type { LoadedTarget } from '../engine/commands/load-target.ts'
import type { JsonObject } from '../engine/values.ts'
import type { DesiredEnvironment } from '../environment/desired.ts'
import { isLabelValue, quote } from '../environment/names.ts'
import { renderDesired } from '../environment/render.ts'
import { sampleChanges } from '../environment/validate.ts'
import { messageOf, OffshootError, type Problem } from '../util/errors.ts'
import type { EnvironmentProject } from './environment-project.ts'
import { projectOf } from './kluctl/spec.ts'
import type { TargetRequest } from './project-source.ts'

/** Loads a target of the project that is checked. @throws OffshootError saying why it cannot be loaded */
export type LoadForCheck = (project: EnvironmentProject, request: TargetRequest) => Promise<LoadedTarget>

/**
 * What is wrong between a ReviewProject that is right in itself and the Kluctl project that it deploys: a target that
 * does not exist, arguments without a value or that nobody declared, templates that fail, and a discriminator that is
 * missing or the same for two changes. Empty for projects that deploy otherwise.
 */
export async function kluctlProblems(project: ReviewProject, load: LoadForCheck): Promise<Problem[]> {
  const [first, second] = sampleEnvironments(project)
  const [one, other] = await Promise.all([look(first, load), look(second, load)])
  if (one === undefined || other === undefined) return []
  const failed = [one, other].flatMap(({ problem }) => problem ?? [])
  if (failed[0] !== undefined) return failed[0].message === failed[1]?.message ? failed.slice(0, 1) : failed
  const target = one.target ?? other.target
  return [
    ...undeclared(one.at, one.args, target),
    ...discriminatorProblems(one.at, one.target?.discriminator ?? '', other.target?.discriminator ?? ''),
  ]
}

/** One look at the Kluctl project, for one environment. */
interface Look {
  /** Path of the backend in the ReviewProject. */
  at: string
  args: Record<string, unknown>
  target?: LoadedTarget
  problem?: Problem
}

async function look({ backend, revision }: DesiredEnvironment, load: LoadForCheck): Promise<Look | undefined> {
  if (backend.kind === 'objects') return undefined
  const project = backend.kind === 'engine' ? backend.source : projectOf(backend, revision)
  const at = `spec.deploy.${backend.kind}`
  const { target, args } = backend
  try {
    return { at, args, target: await load(project, { target, args: args as JsonObject }) }
  } catch (error) {
    if (!(error instanceof OffshootError)) throw error
    const missing = 'reason' in error && error.reason === 'TargetMissing'
    const path = `${at}.${missing && target !== undefined ? 'target' : 'project'}`
    return { at, args, problem: { path, message: messageOf(error) } }
  }
}

/** Two environments of one project, of different changes. */
function sampleEnvironments(project: ReviewProject): [DesiredEnvironment, DesiredEnvironment] {
  const { pullRequests, branches } = project.spec.changes
  const first = pullRequests === undefined ? sampleChanges.branch : sampleChanges.pullRequest
  const second = pullRequests !== undefined && branches !== undefined ? sampleChanges.branch : another(first)
  return [renderDesired({ project, facts: first }), renderDesired({ project, facts: second })]
}

function another(facts: ChangeFacts): ChangeFacts {
  const branch = `${facts.branch}-2`
  return facts.number === undefined ? { ...facts, branch } : { ...facts, branch, number: facts.number + 1 }
}

/** kluctl takes what nobody declared, but where a project declares its arguments it is a slip of the pen. */
function undeclared(at: string, args: Record<string, unknown>, target: LoadedTarget | undefined): Problem[] {
  const declared = new Set((target?.declared ?? []).map(name => name.split('.')[0]))
  if (declared.size === 0) return []
  return Object.keys(args)
    .filter(name => !declared.has(name))
    .map(name => ({
      path: `${at}.args.${name}`,
      message: `expected an argument that ${target?.file ?? 'the project'} declares (${[...declared].join(', ')})`,
    }))
}

function discriminatorProblems(at: string, one: string, other: string): Problem[] {
  const path = `${at}.project`
  if (one === '' || other === '') {
    const message = 'expected a discriminator in .kluctl.yaml, with an argument that differs per environment'
    return [{ path, message }]
  }
  const unfit = [one, other].find(value => !isLabelValue(value))
  if (unfit !== undefined) {
    const message = `expected a discriminator of at most 63 letters, digits, dashes, dots and underscores, got ${quote(unfit)}`
    return [{ path, message }]
  }
  if (one !== other) return []
  const message = `expected a discriminator that differs per environment, got ${quote(one)} for two changes: use an argument that does`
  return [{ path, message }]
}
