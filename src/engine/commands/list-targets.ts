import type { EngineHost } from '../host.ts'
import { toJson } from '../project/targets.ts'
import type { JsonObject } from '../values.ts'
import { openProject, type ProjectFlags } from './run.ts'

/** The targets of a project that can be loaded, sorted by name; what cannot is warned of. @throws EngineError */
export async function listTargets(host: EngineHost, flags: ProjectFlags, signal: AbortSignal): Promise<JsonObject[]> {
  const { project } = await openProject(host, flags, signal)
  return project.targets.map(target => toJson(target))
}
