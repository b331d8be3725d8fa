import type { SourceName, VarsSource } from './source.ts'
import { file } from './sources/file.ts'
import { git } from './sources/git.ts'
import { gitFiles } from './sources/git-files.ts'
import { systemEnvVars } from './sources/system-env-vars.ts'
import { values } from './sources/values.ts'

const all: readonly VarsSource[] = [values, file, systemEnvVars, git, gitFiles]

/** Every kind of variable source, by name. */
export const sources: ReadonlyMap<SourceName, VarsSource> = new Map(all.map(source => [source.name, source]))
