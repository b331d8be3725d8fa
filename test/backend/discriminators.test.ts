import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { annotations, type ReviewEnvironment } from '../../src/api/index.ts'
import { DiscriminatorIndex } from '../../src/backend/kluctl/discriminator-index.ts'
import { type Claimant, judgeDiscriminator, maxDiscriminators } from '../../src/backend/kluctl/discriminators.ts'
import type { KubeObject } from '../../src/kube/types.ts'

function claimant(environment: string, more: Partial<Claimant> = {}): Claimant {
  return { namespace: 'team', environment, deployment: environment, recorded: false, ...more }
}

function deployment(name: string, discriminator: string, ours = true): KubeObject {
  const marks = ours ? { annotations: { [annotations.owner]: `team/shop/${name}` } } : {}
  return {
    apiVersion: 'gitops.kluctl.io/v1beta1',
    kind: 'KluctlDeployment',
    metadata: { namespace: 'team', name, ...marks },
    status: { targetKey: { discriminator } },
  }
}

function environment(name: string, discriminators: string[]): ReviewEnvironment {
  return {
    apiVersion: 'offshoot.dev/v1alpha1',
    kind: 'ReviewEnvironment',
    metadata: { namespace: 'team', name },
    spec: { projectRef: { name: 'shop' }, change: { branch: name }, origin: 'automatic' },
    status: { discriminators },
  }
}

describe('who has a discriminator', () => {
  it('is one environment at most, whatever comes in which order', () => {
    const name = fc.constantFrom('a', 'b', 'c')
    const discriminator = fc.constantFrom('x', 'y')
    const step = fc.oneof(
      fc.record({ do: fc.constant('claim' as const), name, discriminator }),
      fc.record({ do: fc.constant('record' as const), name, discriminator }),
      fc.record({ do: fc.constant('delete' as const), name, discriminator }),
    )
    fc.assert(
      fc.property(fc.array(step, { maxLength: 40 }), steps => {
        const index = new DiscriminatorIndex()
        const given = new Map<string, string>()
        for (const { do: what, name: who, discriminator: which } of steps) {
          if (what === 'claim' && index.claim(which, claimant(who)).length === 0) {
            expect([who, undefined]).toContain(given.get(which))
            given.set(which, who)
          }
          // An informer shows what was recorded, later than it was claimed, if at all.
          if (what === 'record' && given.get(which) === who) index.setEnvironment(environment(who, [which]))
          if (what === 'delete') {
            index.deleteEnvironment('team', who)
            for (const [key, holder] of given) if (holder === who) given.delete(key)
          }
        }
      }),
    )
  })

  it('is a KluctlDeployment that Offshoot did not make, even against what was recorded', () => {
    const index = new DiscriminatorIndex()
    index.setDeployment(deployment('foreign', 'x', false))
    expect(index.claim('x', claimant('a', { recorded: true }))).toMatchObject([
      { kind: 'KluctlDeployment', name: 'foreign' },
    ])
    index.deleteDeployment('team', 'foreign')
    expect(index.claim('x', claimant('a'))).toEqual([])
  })

  it('is whoever recorded it, also when a KluctlDeployment of another environment tells it', () => {
    const index = new DiscriminatorIndex()
    index.setDeployment(deployment('stray', 'x'))
    expect(index.claim('x', claimant('new'))).toMatchObject([{ name: 'stray' }])
    expect(index.claim('x', claimant('owner', { recorded: true }))).toEqual([])
    expect(index.claim('x', claimant('stray'))).toMatchObject([{ kind: 'ReviewEnvironment', name: 'owner' }])
  })

  it('changes with the object: a deployment holds its last one only', () => {
    const index = new DiscriminatorIndex()
    index.setDeployment(deployment('other', 'x', false))
    index.setDeployment(deployment('other', 'y', false))
    expect(index.claim('x', claimant('a'))).toEqual([])
    expect(index.claim('y', claimant('a'))).toHaveLength(1)
  })
})

describe('judging a discriminator', () => {
  const other = { kind: 'ReviewEnvironment' as const, namespace: 'secret-team', name: 'secret-project-pr-1' }

  it.each([
    ['', [], [], 'DiscriminatorEmpty'],
    ['a b', [], [], 'DiscriminatorInvalid'],
    ['x'.repeat(64), [], [], 'DiscriminatorInvalid'],
    ['x', [], [other], 'DiscriminatorTaken'],
    ['x', Array.from({ length: maxDiscriminators }, (_, i) => `d${i}`), [], 'TooManyDiscriminators'],
  ])('%j with %j', (discriminator, recorded, others, reason) => {
    expect(judgeDiscriminator(discriminator, recorded, others, 'team')).toMatchObject({ ok: false, reason })
  })

  it('tells nobody the names of another namespace', () => {
    expect(JSON.stringify(judgeDiscriminator('x', [], [other], 'team'))).not.toContain('secret')
  })

  it('lets the fiftieth go on being used', () => {
    const recorded = Array.from({ length: maxDiscriminators }, (_, i) => `d${i}`)
    expect(judgeDiscriminator('d7', recorded, [], 'team')).toEqual({ ok: true, discriminator: 'd7' })
  })
})
