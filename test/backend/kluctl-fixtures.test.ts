import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { type KluctlDeployment, parseDeployment, progressOf } from '../../src/backend/kluctl/resource.ts'
import type { KubeObject } from '../../src/kube/types.ts'

const folder = join(import.meta.dirname, '..', 'fixtures', 'kluctl-controller')

function fixture(name: string, change: (object: KubeObject) => void = () => undefined): KluctlDeployment {
  const object = JSON.parse(readFileSync(join(folder, `${name}.json`), 'utf8')) as KubeObject
  change(object)
  return parseDeployment(object)
}

const readyCommit = '7c479c5ccd03c4781c9461888dc50ac9c5f30d75'

describe('what the real kluctl controller wrote', () => {
  it('is read as what it was', () => {
    expect(progressOf(fixture('created'), undefined)).toMatchObject({ at: 'working' })
    expect(progressOf(fixture('reconciling'), undefined)).toEqual({ at: 'working', message: 'Initializing' })
    expect(progressOf(fixture('prepare-failed'), undefined)).toEqual({
      at: 'prepareFailed',
      message: 'target nope not existent in kluctl project config',
    })
    expect(progressOf(fixture('validate-failed'), undefined)).toMatchObject({
      at: 'done',
      ready: false,
      reason: 'ValidateFailed',
    })
    expect(progressOf(fixture('ready'), readyCommit)).toMatchObject({ at: 'done', ready: true })
    expect(fixture('ready').status.targetKey?.discriminator).toBe('prev-preview-shop-13')
    expect(fixture('validate-failed').status.lastValidateResult?.errors?.[0]?.ref).toMatchObject({
      kind: 'Deployment',
      name: 'web',
    })
  })

  it('counts for nothing when it speaks of another commit or an older spec', () => {
    expect(progressOf(fixture('ready'), 'f'.repeat(40))).toMatchObject({ at: 'working' })
    const edited = fixture('ready', object => {
      object.metadata.generation = 2
    })
    expect(progressOf(edited, readyCommit)).toMatchObject({ at: 'working' })
    // The condition is new already, the rest of the status is not.
    const half = fixture('ready', object => {
      object.metadata.generation = 2
      const { conditions } = object.status as { conditions: { observedGeneration: number }[] }
      for (const condition of conditions) condition.observedGeneration = 2
    })
    expect(progressOf(half, readyCommit)).toMatchObject({ at: 'working' })
  })

  it('is an error that names the field when its shape is another', () => {
    const broken = () => fixture('ready', object => Object.assign(object.status as object, { observedCommit: 7 }))
    expect(broken).toThrow(/unknown shape/)
    expect(() => {
      try {
        broken()
      } catch (error) {
        throw (error as Error).cause
      }
    }).toThrow(/observedCommit/)
  })
})
