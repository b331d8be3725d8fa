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
  /** How much slower it is than the stand-in, for deadlines. */
  patience: number
}

/** Objects that Offshoot applies itself. */
export const objects: StoryBackend = {
  title: 'objects',
  patience: 1,
  project: (options = {}) => ({
    deploy: { objects: { manifests: [configMap] } },
    ...options,
  }),
}

/** A KluctlDeployment, carried out by the stand-in for the kluctl controller. */
export const kluctlStandIn: StoryBackend = kluctl('stand-in')

/** Backends that deploy with kluctl: the real one too when `OFFSHOOT_KLUCTL` names a binary. */
export const kluctlBackends: StoryBackend[] = [kluctlStandIn, ...(kluctlBinary === undefined ? [] : [kluctl('real')])]

/** Offshoot's own engine. */
export const engine: StoryBackend = {
  title: 'engine',
  patience: 2,
  project: ({ files, ...options } = {}) => ({
    files: { ...kluctlRepositoryFiles(), ...files },
    deploy: { engine: dynamicTarget },
    ...options,
  }),
}

/** Every backend. */
export const backends: StoryBackend[] = [objects, ...kluctlBackends, engine]

function kluctl(kind: KluctlKind): StoryBackend {
  return {
    title: kind === 'real' ? 'the real kluctl controller' : 'kluctlDeployment',
    kluctl: kind,
    patience: kind === 'real' ? 4 : 1,
    project: ({ files, ...options } = {}) => ({
      files: { ...kluctlRepositoryFiles(), ...files },
      deploy: { kluctlDeployment: kluctlDeployment() },
      ...options,
    }),
  }
}

/** What the target of such a repository needs. */
const dynamicTarget = {
  project: { path: 'deploy' },
  target: 'preview',
  args: {
    environment: '{{ environment.name }}',
    namespace: '{{ environment.namespace }}',
    version: '{{ change.sha }}',
  },
}

/** `spec.deploy.kluctlDeployment` for a repository with `kluctlRepositoryFiles`. */
export function kluctlDeployment(more: Record<string, unknown> = {}): Record<string, unknown> {
  return { ...dynamicTarget, interval: '1h', ...more }
}

/** Files of a Kluctl project, for a first commit: nothing to delete in them. */
export function kluctlRepositoryFiles(options: Parameters<typeof kluctlFiles>[0] = {}): Files {
  return Object.fromEntries(Object.entries(kluctlFiles(options)).filter(([, text]) => text !== null))
}

const configMap = {
  apiVersion: 'v1',
  kind: 'ConfigMap',
  metadata: { name: 'config' },
  data: { version: '{{ change.sha }}' },
}
