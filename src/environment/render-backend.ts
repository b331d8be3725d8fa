import {
  type BackendName,
  backendNames,
  durationMilliseconds,
  type EngineBackend,
  type KluctlDeploymentBackend,
  type ReviewProjectSpec,
} from '../api/index.ts'
import type { CompiledKluctl, CompiledProject } from './compiled-project.ts'
import type { ConfigOverrides } from './config-file.ts'
import type {
  DesiredEngine,
  DesiredEnvironment,
  DesiredKluctlDeployment,
  DesiredObjects,
  RenderedObject,
} from './desired.ts'
import { manifestProblems, targetProblem } from './rendered-checks.ts'
import { formatPath } from './schema-problems.ts'
import type { CompiledText, CompiledValue, Rendering } from './templates.ts'

/** What a backend's part is rendered from. */
export interface BackendInput {
  compiled: CompiledProject
  spec: ReviewProjectSpec
  revision: string
  config: ConfigOverrides | undefined
  rendering: Rendering
}

/** The backend's part of an environment; mistakes are noted in `rendering.problems`. */
export function renderBackend(input: BackendInput): DesiredEnvironment['backend'] | undefined {
  const { kluctlDeployment, engine, objects } = input.spec.deploy
  if (input.compiled.kluctl && kluctlDeployment) return renderKluctl(input, input.compiled.kluctl, kluctlDeployment)
  if (input.compiled.engine && engine) return renderEngine(input, input.compiled.engine, engine)
  if (input.compiled.objects && objects) {
    const manifests = renderManifests(input.compiled.objects, input.rendering)
    const account = objects.serviceAccountName
    return { kind: 'objects', manifests, ...(account === undefined ? {} : { serviceAccountName: account }) }
  }
  const message = `expected exactly one of ${backendNames.join(', ')}`
  input.rendering.problems.push({ path: 'spec.deploy', message })
  return undefined
}

function renderKluctl(
  input: BackendInput,
  compiled: CompiledKluctl,
  backend: KluctlDeploymentBackend,
): DesiredKluctlDeployment {
  const { project, target: _target, context: _context, args: _args, images: _images, prune, ...passThrough } = backend
  const { target, args, images } = renderTarget(input, compiled, 'kluctlDeployment')
  const context = named(compiled.context, 'context', 'kluctlDeployment', input.rendering)
  const { url, path, ref, ownRepository } = sourceOf(input, project)
  const git = { url, ...(path === '' ? {} : { path }), ref }
  const spec = {
    ...passThrough,
    source: { git },
    ...(target === undefined ? {} : { target }),
    ...(context === undefined ? {} : { context }),
    args,
    ...(images.length === 0 ? {} : { images }),
  }
  return { kind: 'kluctlDeployment', ownRepository, ...(target === undefined ? {} : { target }), args, spec, prune }
}

function renderEngine(input: BackendInput, compiled: CompiledKluctl, backend: EngineBackend): DesiredEngine {
  const { project, prune, interval, readinessTimeout, keepResults, allow, runner } = backend
  const { target, ...rest } = renderTarget(input, compiled, 'engine')
  return {
    kind: 'engine',
    source: sourceOf(input, project),
    ...(target === undefined ? {} : { target }),
    ...rest,
    prune,
    interval: durationMilliseconds(interval),
    readinessTimeout: durationMilliseconds(readinessTimeout),
    keepResults,
    allow,
    runner,
  }
}

/** What a dynamic target is made of, with what the branch's config file may override. */
function renderTarget({ rendering, config }: BackendInput, compiled: CompiledKluctl, backend: BackendName) {
  return {
    target: named(compiled.target, 'target', backend, rendering),
    args: { ...(compiled.args(rendering) as Record<string, unknown>), ...config?.args },
    images: withOverrides(compiled.images(rendering) as Image[], config?.images),
  }
}

/** The change's own commit, or what the project names. */
function sourceOf(input: BackendInput, project: EngineBackend['project']): DesiredEngine['source'] {
  const { url = input.spec.source.url, path, ref } = project
  const ownRepository = project.url === undefined
  return { url, path, ref: ownRepository ? { commit: input.revision } : { ...ref }, ownRepository }
}

function named(
  text: CompiledText | undefined,
  field: 'target' | 'context',
  backend: BackendName,
  rendering: Rendering,
): string | undefined {
  const value = text?.(rendering)
  if (value === undefined) return undefined
  const message = targetProblem(value, field)
  if (message !== undefined) rendering.problems.push({ path: `spec.deploy.${backend}.${field}`, message })
  return value
}

type Image = Record<string, unknown>

/** A branch's images first, as the first that fits counts, and without the project's for the same image. */
function withOverrides(images: readonly Image[], overrides: ConfigOverrides['images'] = []): Image[] {
  const replaced = new Set<unknown>(overrides.map(({ image }) => image))
  return [...overrides, ...images.filter(({ image }) => image === undefined || !replaced.has(image))]
}

function renderManifests(compiled: readonly CompiledValue[], rendering: Rendering): DesiredObjects['manifests'] {
  const seen = new Set<string>()
  return compiled.map((value, index) => {
    const at = ['spec', 'deploy', 'objects', 'manifests', index]
    const before = rendering.problems.length
    const manifest = value(rendering) as RenderedObject
    // What could not be rendered is told already.
    if (rendering.problems.length > before) return manifest
    rendering.problems.push(...manifestProblems(manifest, at))
    const { apiVersion, kind, metadata } = manifest
    const key = [apiVersion.split('/')[0], kind, metadata?.namespace ?? '', metadata?.name].join(' ')
    if (seen.has(key))
      rendering.problems.push({
        path: formatPath(at),
        message: `expected each object once, got ${kind} ${metadata?.name} twice`,
      })
    seen.add(key)
    return manifest
  })
}
