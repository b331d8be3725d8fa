import type { Files } from './forge/bare-repository.ts'
import type { ProjectOptions } from './house-model.ts'
import { kluctlBinary } from './kluctl-binary.ts'
import { kluctlFiles } from './kluctl-project.ts'

/** Who carries KluctlDeployments out. */
export type KluctlKind = 'stand-in' | 'real'

/** One way to deploy that a story is told for: `describe.each(backends)('…, by $title', backend => …)`. */
export interface StoryBackend {
  title: string
  kluctl?: KluctlKind
  /** A project that deploys a ConfigMap `config` whose `version` is the change's commit. */
  project(options?: ProjectOptions): ProjectOptions
  /** `spec.deploy` of such a project whose `version` is what this template gives. */
  deploying(version: string): Record<string, unknown>
  /** Field of `spec.deploy`. */
  field: 'objects' | 'kluctlDeployment' | 'engine'
  /** Whether what is deployed is a Kluctl project in the repository. */
  rendersProject: boolean
  /** How much slower it is than the stand-in, for deadlines. */
  patience: number
}

/** A template of what every story deploys unless it says otherwise. */
const commit = '{{ change.sha }}'

/** Objects that Offshoot applies itself. */
export const objects: StoryBackend = {
  title: 'objects',
  patience: 1,
  rendersProject: false,
  field: 'objects',
  deploying: version => ({
    objects: {
      manifests: [{ apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'config' }, data: { version } }],
    },
  }),
  project: (options = {}) => ({ deploy: objects.deploying(commit), ...options }),
}

/** A KluctlDeployment, carried out by the stand-in for the kluctl controller. */
export const kluctlStandIn: StoryBackend = kluctl('stand-in')

/** Backends that deploy with kluctl: the real one too when `OFFSHOOT_KLUCTL` names a binary. */
export const kluctlBackends: StoryBackend[] = [kluctlStandIn, ...(kluctlBinary === undefined ? [] : [kluctl('real')])]

/** Offshoot's own engine. */
export const engine: StoryBackend = {
  title: 'engine',
  patience: 2,
  rendersProject: true,
  field: 'engine',
  deploying: version => ({ engine: dynamicTarget(version) }),
  project: ({ files, ...options } = {}) => ({
    files: { ...kluctlRepositoryFiles(), ...files },
    deploy: engine.deploying(commit),
    ...options,
  }),
}

/** Backends that deploy a Kluctl project. */
export const projectBackends: StoryBackend[] = [...kluctlBackends, engine]

/** Every backend. */
export const backends: StoryBackend[] = [objects, ...projectBackends]

function kluctl(kind: KluctlKind): StoryBackend {
  const deploying = (version: string) => ({ kluctlDeployment: { ...dynamicTarget(version), interval: '1h' } })
  return {
    title: kind === 'real' ? 'the real kluctl controller' : 'kluctlDeployment',
    kluctl: kind,
    patience: kind === 'real' ? 4 : 1,
    rendersProject: true,
    field: 'kluctlDeployment',
    deploying,
    project: ({ files, ...options } = {}) => ({
      files: { ...kluctlRepositoryFiles(), ...files },
      deploy: deploying(commit),
      ...options,
    }),
  }
}

/** What the target of such a repository needs. */
function dynamicTarget(version: string) {
  const args = { environment: '{{ environment.name }}', namespace: '{{ environment.namespace }}', version }
  return { project: { path: 'deploy' }, target: 'preview', args }
}

/** Files of a Kluctl project, for a first commit: nothing to delete in them. */
export function kluctlRepositoryFiles(options: Parameters<typeof kluctlFiles>[0] = {}): Files {
  return Object.fromEntries(Object.entries(kluctlFiles(options)).filter(([, text]) => text !== null))
}
