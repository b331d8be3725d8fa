import type { EngineHost } from '../host.ts'
import type { Manifest } from '../item.ts'
import { type RenderFlags, withRenderedTarget } from './run.ts'

/** What rendering gave: the objects in deployment order, and the folder that the files are in if they were kept. */
export interface Rendered {
  readonly objects: readonly Manifest[]
  readonly folder: string
}

/** Renders a target of a project. Nothing is written to the cluster. @throws EngineError */
export async function render(host: EngineHost, flags: RenderFlags, signal: AbortSignal): Promise<Rendered> {
  return withRenderedTarget(host, flags, signal, ({ items }, folder) => {
    return { objects: items.flatMap(({ objects }) => [...objects]), folder }
  })
}
