import type { Json, JsonObject } from './values.ts'

/** A Kubernetes object as the engine passes it on; all its maps are without prototype. */
export type Manifest = JsonObject

/** A tree of files that a project's parts come from: the repository on disk, or a checkout of a Git or OCI include. */
export interface Source {
  /** Absolute, links resolved. Paths of items are relative to it, and nothing outside of it is ever read. */
  readonly root: string
  /** Names the source's folder below the render folder; unique in a run, `0` for the project's own repository. */
  readonly id: string
}

/** A deployment item whose templates were rendered: what Helm and Kustomize work on. */
export interface RenderedItem {
  readonly source: Source
  /** The item's folder relative to the source's root, with `/`; `.` for the root itself. */
  readonly path: string
  /** Where it was rendered, relative to `renderedRoot`: the path, with `-1`, `-2`, … when it is used several times. */
  readonly renderedPath: string
  /** Absolute folder of all that was rendered of this source; Kustomize may read nothing outside of it. */
  readonly renderedRoot: string
  /** Absolute folder of the rendered files. */
  readonly renderedFolder: string
  /** `recursive: true` of the item: manifests of all folders below belong to it. */
  readonly recursive: boolean
  /** `overrideNamespace` of the item's project; Kustomize's `namespace` unless the kustomization has its own. */
  readonly overrideNamespace?: string | undefined
}

/** What a folder's kustomization said about the item besides its objects. */
export interface BuiltItem {
  /** In Kustomize's order. */
  readonly objects: Manifest[]
  /** Annotations of the kustomization itself: `kluctl.io/barrier` and `kluctl.io/wait-readiness`. */
  readonly barrier: boolean
  readonly waitReadiness: boolean
}

/** `src/engine/helm`: renders the charts that a rendered item's `helm-chart.yaml` files name. */
export interface HelmCharts {
  /** Renders every chart of the item into its output file. @throws EngineError with Helm's own words */
  render(item: RenderedItem, signal: AbortSignal): Promise<void>
  /** The output file of the chart in a folder, from `helm-chart.yaml`; relative to that folder. */
  outputPath(folder: string): Promise<string>
}

/** `src/engine/kustomize`: makes objects of a rendered item's files. */
export interface Kustomize {
  /** Writes the generated kustomization if the item has none, and builds it. @throws EngineError with Kustomize's words */
  build(item: RenderedItem, signal: AbortSignal): Promise<BuiltItem>
}

/** `src/engine/sops`: decrypts what is encrypted. */
export interface Sops {
  /** The plain content, or undefined when the file is not encrypted. The path tells the format by its name. */
  decrypt(content: Uint8Array, path: string, signal: AbortSignal): Promise<Uint8Array | undefined>
}

/** Reads a field of a manifest that should be a string. */
export function text(value: Json | undefined): string {
  return typeof value === 'string' ? value : ''
}
