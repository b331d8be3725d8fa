import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { parse } from 'yaml'
import { ReviewEnvironmentSpec } from '../../src/api/index.ts'
import { checkProjectFile } from '../../src/environment/check-file.ts'

const folder = join(import.meta.dirname, '../../config/samples')
const files = readdirSync(folder)

describe('samples', () => {
  it.each(files)('%s is valid', file => {
    const text = readFileSync(join(folder, file), 'utf8')
    const object = parse(text) as { kind: string; spec: unknown }
    if (object.kind === 'ReviewEnvironment') {
      expect(ReviewEnvironmentSpec.safeParse(object.spec).error).toBeUndefined()
      return
    }
    const { problems, projects } = checkProjectFile(text, file)
    expect(problems).toEqual([])
    expect(projects).toHaveLength(1)
  })
})
