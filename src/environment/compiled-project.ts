import type {
  BackendName,
  EngineBackend,
  KluctlDeploymentBackend,
  ObjectsBackend,
  ReviewProjectSpec,
} from '../api/index.ts'
import { InvalidInputError, type Problem } from '../util/errors.ts'
import { type CompiledText, type CompiledValue, TemplateCompiler } from './templates.ts'

/** The templates of `deploy.kluctlDeployment` or `deploy.engine`, compiled. */
export interface CompiledKluctl {
  target?: CompiledText
  context?: CompiledText
  args: CompiledValue
  images: CompiledValue
}

/** The templates of a project, compiled. */
export interface CompiledProject {
  name: CompiledText
  namespace: CompiledText
  url: CompiledText
  labels: Record<string, CompiledText>
  annotations: Record<string, CompiledText>
  kluctl?: CompiledKluctl
  engine?: CompiledKluctl
  objects?: CompiledValue[]
  problems: readonly Problem[]
}

const cache = new WeakMap<ReviewProjectSpec, CompiledProject>()

/** Compiles a project's templates; the same spec object is compiled once for all its environments. */
export function compileProject(spec: ReviewProjectSpec): CompiledProject {
  const known = cache.get(spec)
  if (known) return known
  const compiler = new TemplateCompiler()
  const texts = (map: Record<string, string>, field: string) =>
    Object.fromEntries(
      Object.entries(map).map(([key, value]) => [
        key,
        compiler.text(value, ['spec', 'environment', 'namespace', field, key]),
      ]),
    )
  const { environment, deploy, feedback } = spec
  const compiled: CompiledProject = {
    name: compiler.text(environment.name, ['spec', 'environment', 'name']),
    namespace: compiler.text(environment.namespace.name, ['spec', 'environment', 'namespace', 'name']),
    url: compiler.text(feedback.url, ['spec', 'feedback', 'url']),
    labels: texts(environment.namespace.labels, 'labels'),
    annotations: texts(environment.namespace.annotations, 'annotations'),
    ...(deploy.kluctlDeployment
      ? { kluctl: compileKluctl(compiler, deploy.kluctlDeployment, 'kluctlDeployment') }
      : {}),
    ...(deploy.engine ? { engine: compileKluctl(compiler, deploy.engine, 'engine') } : {}),
    ...(deploy.objects ? { objects: compileObjects(compiler, deploy.objects) } : {}),
    problems: compiler.problems,
  }
  cache.set(spec, compiled)
  return compiled
}

/** As `compileProject`. @throws InvalidInputError when a template cannot be read */
export function compiledOrThrow(spec: ReviewProjectSpec): CompiledProject {
  const compiled = compileProject(spec)
  if (compiled.problems.length > 0) throw new InvalidInputError(compiled.problems)
  return compiled
}

function compileKluctl(
  compiler: TemplateCompiler,
  backend: Pick<KluctlDeploymentBackend | EngineBackend, 'target' | 'args' | 'images'> & {
    context?: string | undefined
  },
  name: BackendName,
): CompiledKluctl {
  const at = ['spec', 'deploy', name]
  return {
    ...(backend.target === undefined ? {} : { target: compiler.text(backend.target, [...at, 'target']) }),
    ...(backend.context === undefined ? {} : { context: compiler.text(backend.context, [...at, 'context']) }),
    args: compiler.value(backend.args, [...at, 'args']),
    images: compiler.value(backend.images, [...at, 'images']),
  }
}

function compileObjects(compiler: TemplateCompiler, backend: ObjectsBackend): CompiledValue[] {
  return backend.manifests.map((manifest, index) =>
    compiler.value(manifest, ['spec', 'deploy', 'objects', 'manifests', index]),
  )
}
