import { describe, expect, it } from 'vitest'
import { finalizer } from '../../src/api/index.ts'
import { type DecideInput, decideChange } from '../../src/environment/decide.ts'
import { environmentObjectName } from '../../src/environment/names.ts'
import { changeInWords, whyNot } from '../../src/environment/why-not.ts'
import { applied, branch, environmentOf, projectOf, pullRequest, shaOf } from './builders.ts'

const project = projectOf({
  changes: { pullRequests: { labels: { any: ['preview'] } }, branches: { include: ['feature/*'] } },
})
const change = { pullRequest: 1 }
const facts = pullRequest(1)
const existing = environmentOf(project, facts)
const open = (overlay = {}) => ({ state: 'open', change: pullRequest(1, overlay) }) as const
const decide = (input: Partial<DecideInput>) => decideChange({ project, change, lookup: open(), ...input })

describe('an open change', () => {
  it('gets an environment of its own, with its finalizer from the beginning', () => {
    const decision = decide({})
    expect(decision).toMatchObject({
      action: 'create',
      environment: {
        metadata: { name: 'shop-pr-1', namespace: 'offshoot', finalizers: [finalizer] },
        spec: { projectRef: { name: 'shop' }, change, origin: 'automatic', revision: facts.sha },
      },
      facts,
    })
  })

  it('gets none when it does not qualify, and is told why', () => {
    const decision = decide({ lookup: open({ labels: [] }) })
    expect(decision).toMatchObject({ action: 'none', reasons: ['it carries none of the labels "preview"'] })
    expect(whyNot(change, decision)).toBe(
      'No environment for pull request #1: the change does not qualify: it carries none of the labels "preview".',
    )
  })

  it('follows a push', () => {
    const sha = shaOf('second')
    const decision = decide({ existing, lookup: open({ sha }) })
    expect(decision).toMatchObject({ action: 'update', specChanged: true, environment: { spec: { revision: sha } } })
    expect(decide({ existing: applied([existing], [decision])[0], lookup: open({ sha }) }).action).toBe('keep')
  })

  it('records new facts without a new commit', () => {
    const decision = decide({ existing, lookup: open({ title: 'Renamed' }) })
    expect(decision).toMatchObject({
      action: 'update',
      specChanged: false,
      factsChanged: true,
      environment: { spec: existing.spec },
    })
  })

  it('changes nothing when nothing has changed', () => {
    expect(decide({ existing })).toMatchObject({ action: 'keep', reason: 'nothing has changed' })
  })

  it('loses its environment when it no longer matches', () => {
    expect(decide({ existing, lookup: open({ labels: [] }) })).toMatchObject({ action: 'delete', cause: 'filtered' })
  })

  it('loses it by its own config file', () => {
    expect(decide({ existing, config: { enabled: false } })).toMatchObject({
      action: 'delete',
      cause: 'filtered',
      reason: 'the change does not qualify: its .offshoot.yaml says enabled: false',
    })
    expect(decide({ config: { enabled: true } }).action).toBe('create')
  })
})

describe('evidence', () => {
  it('takes the end of another repository’s pull request for no evidence, as after an edit of source.url', () => {
    const known = { ...existing, status: { ...existing.status, change: facts } }
    const elsewhere = { ...facts, url: facts.url.replace('/shop/', '/other/') }
    const lookup = { state: 'closed', merged: true, change: elsewhere } as const
    expect(decide({ existing: known, lookup })).toMatchObject({ action: 'delete', cause: 'filtered' })
    expect(decide({ existing: known, lookup: { ...lookup, change: facts } })).toMatchObject({ cause: 'closed' })
  })

  it('removes the environment of a closed pull request', () => {
    const lookup = { state: 'closed', merged: true, change: facts } as const
    expect(decide({ existing, lookup })).toMatchObject({
      action: 'delete',
      cause: 'closed',
      reason: 'the pull request is merged',
    })
    expect(decide({ lookup }).action).toBe('none')
  })

  it('removes the environment of a branch that is gone', () => {
    const gone = branch('feature/x')
    const decision = decide({
      change: { branch: 'feature/x' },
      existing: environmentOf(project, gone),
      lookup: { state: 'absent', evidence: '12 branches, main among them' },
    })
    expect(decision).toMatchObject({ action: 'delete', cause: 'absent', evidence: '12 branches, main among them' })
  })

  it('keeps everything while the Git host cannot tell', () => {
    expect(decide({ existing, lookup: { state: 'unknown', reason: '404' } })).toMatchObject({
      action: 'keep',
      reason: 'the Git host cannot tell: 404',
    })
  })

  it('does not believe an answer about another change', () => {
    const lookup = { state: 'closed', merged: false, change: pullRequest(2) } as const
    expect(decide({ existing, lookup }).action).toBe('keep')
  })
})

describe('what stands in the way', () => {
  it('keeps everything while the project is suspended', () => {
    const suspended = projectOf({ suspend: true })
    expect(
      decide({ project: suspended, existing, lookup: { state: 'closed', merged: true, change: facts } }).action,
    ).toBe('keep')
    expect(decide({ project: suspended }).action).toBe('none')
  })

  it('makes nothing for a project that is being deleted', () => {
    const deleted = projectOf({}, { deletionTimestamp: '2026-01-01T00:00:00Z' })
    expect(decide({ project: deleted }).action).toBe('none')
  })

  it('waits for a teardown before it makes a new environment', () => {
    const removed = environmentOf(project, facts, { metadata: { deletionTimestamp: '2026-01-01T00:00:00Z' } })
    expect(decide({ existing: removed })).toMatchObject({
      action: 'keep',
      reason: expect.stringMatching(/is being removed/),
    })
    expect(decide({}).action).toBe('create')
  })

  it('touches no environment of another change or project under the same name', () => {
    const taken = environmentOf(project, facts, { spec: { change: { branch: 'x' } } })
    const closed = { state: 'closed', merged: true, change: facts } as const
    expect(decide({ existing: taken, lookup: closed })).toMatchObject({
      action: 'none',
      reason: expect.stringMatching(/is taken/),
    })
    const foreign = environmentOf(project, facts, { spec: { projectRef: { name: 'other' } } })
    expect(decide({ existing: foreign, lookup: closed }).action).toBe('none')
  })
})

describe('an environment made by hand', () => {
  const manual = environmentOf(project, facts, { spec: { origin: 'manual' } })

  it('is never removed by a filter', () => {
    const lookup = open({ labels: [] })
    const decision = decide({ existing: manual, lookup, config: { enabled: false } })
    expect(decision).toMatchObject({ action: 'update', specChanged: false })
    expect(decide({ existing: applied([manual], [decision])[0], lookup }).action).toBe('keep')
  })

  it('follows its change', () => {
    expect(decide({ existing: manual, lookup: open({ labels: [], sha: shaOf('x') }) })).toMatchObject({
      specChanged: true,
    })
  })

  it('ends with its change', () => {
    expect(decide({ existing: manual, lookup: { state: 'closed', merged: false, change: facts } }).action).toBe(
      'delete',
    )
  })

  it('never gets the commit of a fork', () => {
    const lookup = open({ fork: true, sha: shaOf('evil') })
    const decision = decide({ existing: manual, lookup })
    expect(decision).toMatchObject({ action: 'update', specChanged: false, factsChanged: true })
    expect(decision.reason).toMatch(/comes from a fork/)
    expect(decide({ existing: applied([manual], [decision])[0], lookup })).toMatchObject({
      action: 'keep',
      reason: expect.stringMatching(/comes from a fork/),
    })
  })
})

it('names a collision of names by the change it is about', () => {
  expect(environmentObjectName('shop', change)).toBe(existing.metadata.name)
  expect(changeInWords({ branch: 'x' })).toBe('branch x')
})
