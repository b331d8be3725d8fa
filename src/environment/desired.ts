/** A Kubernetes object as rendered, before any server saw it. */
export interface RenderedObject {
  apiVersion: string
  kind: string
  metadata: { name: string; namespace?: string; labels?: Record<string, string>; annotations?: Record<string, string> }
  [field: string]: unknown
}

/** What backend `kluctlDeployment` is asked for; strings are rendered. */
export interface DesiredKluctlDeployment {
  kind: 'kluctlDeployment'
  /** Whether the Kluctl project is in the change's own repository, so that its commit is pinned. */
  ownRepository: boolean
  target?: string
  args: Record<string, unknown>
  /**
   * `spec` of the KluctlDeployment without what the backend decides itself: serviceAccountName, dryRun, prune and
   * delete (`prune` here is the project's wish).
   */
  spec: Record<string, unknown>
  prune: boolean
}

/** What backend `engine` is asked for; strings are rendered. */
export interface DesiredEngine {
  kind: 'engine'
  /** Where the Kluctl project is; the change's own repository is pinned to its commit. */
  source: {
    url: string
    path: string
    ref: { branch?: string | undefined; tag?: string | undefined; commit?: string | undefined }
    ownRepository: boolean
  }
  target?: string | undefined
  args: Record<string, unknown>
  images: Record<string, unknown>[]
  prune: boolean
  /** How often what runs is compared with the project, in milliseconds. */
  interval: number
  /** How long objects may take to become ready, in milliseconds. */
  readinessTimeout: number
  /** Results kept in the environment's namespace. */
  keepResults: number
  allow: { vars: string[]; urls: string[] }
  /** Whether the controller does the work or a Job. */
  runner: 'inline' | 'job'
}

/** What backend `objects` is asked for; every string is rendered. */
export interface DesiredObjects {
  kind: 'objects'
  manifests: RenderedObject[]
  /** Account of the project's namespace to apply as; absent: the environment's own. */
  serviceAccountName?: string
}

/** What an environment should be: rendered from the project, the facts about the change and its config file. */
export interface DesiredEnvironment {
  /** `environment.name` as rendered. */
  name: string
  namespace: { name: string; labels: Record<string, string>; annotations: Record<string, string> }
  /** ClusterRole the environment's own account is bound to inside its namespace. */
  clusterRole: string
  /** Where the running environment is reached; empty when the project names none. */
  url: string
  /** Commit to deploy. */
  revision: string
  backend: DesiredKluctlDeployment | DesiredEngine | DesiredObjects
}
