// Every kind of mistake, with its path and what was expected: test/environment/validate.test.ts.
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { stringify } from 'yaml'
import { findCondition, type ReviewProject } from '../../../src/api/index.ts'
import { run } from '../../../src/cli/program.ts'
import type { EnvironmentProbe } from '../../harness/environment-probe.ts'
import { aHouse, type House } from '../../harness/house.ts'
import { recordingIo } from '../../harness/installation.ts'
import { engine, kluctlStandIn, objects } from '../../harness/story-backends.ts'
import { waitFor } from '../../harness/wait.ts'

const deadline = { deadline: 90_000 }
/** What deploys a Kluctl project, whose arguments may be wrong. */
const rendering = [kluctlStandIn, engine]
const longName = `${'x'.repeat(60)}-{{ change.slug }}`

/** What `offshoot project check` says about a project. */
async function checked(project: object): Promise<{ code: number; stderr: string[] }> {
  const folder = await mkdtemp(join(tmpdir(), 'offshoot-check-'))
  try {
    const file = join(folder, 'project.yaml')
    await writeFile(file, stringify(project))
    const { io, written } = recordingIo()
    const code = await run(['project', 'check', file], io)
    return { code, stderr: written.stderr.replaceAll(file, 'project.yaml').trim().split('\n') }
  } finally {
    await rm(folder, { recursive: true })
  }
}

/** Mistakes as the status tells them, one in a line; waits until it tells of some. */
async function mistakes(house: House, project: string): Promise<string[]> {
  const stalled = async () => findCondition((await house.project(project))?.status?.conditions, 'Stalled')
  await waitFor(async () => (await stalled())?.reason === 'Invalid', {
    ...deadline,
    describe: async () => `project ${project} to be invalid: ${JSON.stringify((await house.project(project))?.status)}`,
  })
  return (await stalled())?.message.split('\n') ?? []
}

/** The project without what the cluster adds, as its owner would have it in a file. */
function written({ apiVersion, kind, metadata: { name, namespace }, spec }: ReviewProject): object {
  return { apiVersion, kind, metadata: { name, namespace }, spec }
}

const place = /^project\.yaml:\d+:\d+: /

async function uidOf(environment: EnvironmentProbe): Promise<string | undefined> {
  return (await environment.find())?.metadata.uid
}

describe('a project with mistakes', { concurrent: true, timeout: 240_000 }, () => {
  it('that the schema finds is refused by the API server and by project check, with path and expectation', async () => {
    await using house = await aHouse().withProject('shop', objects.project()).start()
    const project = await house.project('shop')
    const wrong = {
      ...written(project as ReviewProject),
      metadata: { namespace: house.namespace, name: 'wrong' },
      spec: {
        ...project?.spec,
        suspend: 'yes',
        changes: { pullRequests: { titel: { match: 'x' }, drafts: 'no' } },
        environment: { limit: -1, namespace: { name: 7 } },
      },
    }
    const { code, stderr } = await checked(wrong)
    expect(code).toBe(2)
    const expected = {
      'spec.suspend': 'expected a boolean, got a string ("yes")',
      'spec.changes.pullRequests.titel': 'unknown field; expected one of',
      'spec.changes.pullRequests.drafts': 'expected a boolean, got a string ("no")',
      'spec.environment.limit': 'expected at least 0, got -1',
      'spec.environment.namespace.name': 'expected a string, got a number (7)',
    }
    for (const [path, expectation] of Object.entries(expected)) {
      expect(stderr).toContainEqual(expect.stringContaining(`${path}: ${expectation}`))
      expect(stderr.find(line => line.includes(path))).toMatch(place)
    }

    // The API server looks for unknown fields first.
    const create = (object: object) => house.kube.create(object as ReviewProject, { fieldValidation: 'Strict' })
    await expect(create(wrong)).rejects.toThrow(/unknown field "spec\.changes\.pullRequests\.titel"/)
    const known = { ...wrong, spec: { ...wrong.spec, changes: { pullRequests: { drafts: 'no' } } } }
    const refusal = await create(known).catch((error: Error) => error.message)
    for (const path of Object.keys(expected).filter(path => !path.endsWith('titel'))) expect(refusal).toContain(path)
    expect(await house.project('wrong')).toBeUndefined()
  })

  it.each(
    rendering,
  )('by $title that the schema cannot find tells all of them in its status, the same as project check; what runs goes on', async backend => {
    await using house = await aHouse()
      .deployingBy(backend)
      .withProject('shop', backend.project())
      .withProject('docs', backend.project({ repository: 'acme/shop' }))
      .start()
    const repo = house.repo()
    const [closing, staying] = await repo.openPullRequests([{}, {}])
    if (!closing || !staying) throw new Error('no pull requests')
    const { sha } = staying
    for (const project of ['shop', 'docs']) {
      for (const pull of [closing, staying]) await house.environment(pull, project).toBeReady(pull.sha, deadline)
    }
    const before = await house.project('shop')
    const uid = await uidOf(house.environment(staying, 'shop'))

    const args = Object.fromEntries(
      Array.from({ length: 12 }, (_, index) => [`arg${index}`, `{{ change.nope${index} }}`]),
    )
    const edited = await house.editProject('shop', {
      changes: { pullRequests: { title: { skip: '(' }, paths: ['[a'] } },
      environment: { namespace: { name: longName } },
      feedback: { url: 'https://{{ environment.nmae }}.example.com' },
      deploy: { [backend.field]: { args } },
    })
    const told = await mistakes(house, 'shop')
    const paths = ['spec.changes.pullRequests.paths[0]', 'spec.changes.pullRequests.title.skip']
    for (const path of paths) expect(told).toContainEqual(expect.stringContaining(`${path}: expected`))
    const { code, stderr } = await checked(written(edited))
    expect(code).toBe(2)
    expect(
      stderr
        .filter(line => place.test(line))
        .map(line => line.replace(place, ''))
        .toSorted(),
    ).toEqual(told.toSorted())
    for (const [path, expectation] of [
      ['spec.environment.namespace.name', 'expected at most 63 characters'],
      ['spec.feedback.url', 'nmae'],
      ...Object.keys(args).map((arg, index) => [`spec.deploy.${backend.field}.args.${arg}`, `nope${index}`]),
    ] as const) {
      expect(told).toContainEqual(
        expect.stringMatching(new RegExp(`^${path.replaceAll('.', '\\.')}: .*${expectation}`)),
      )
    }

    // What runs is harmed by no mistake, what is closed goes all the same, and the other project knows of nothing.
    const shop = house.environment(staying, 'shop')
    await shop.toStall('Invalid', deadline)
    expect(await uidOf(shop)).toBe(uid)
    expect(await shop.find()).toMatchObject({ data: { version: sha } })
    await repo.close(closing.number)
    await house.environment(closing, 'shop').toBeGone(deadline)
    await house.environment(closing, 'docs').toBeGone(deadline)
    const pushed = await repo.pushTo(staying.number, { 'more.txt': 'more' })
    await house.environment(staying, 'docs').toBeReady(pushed, deadline)
    expect(await uidOf(shop)).toBe(uid)

    await house.editProject('shop', {
      changes: { pullRequests: { title: { skip: '' }, paths: [] } },
      environment: before?.spec.environment,
      feedback: { url: '' },
      deploy: { [backend.field]: { args: null } },
    })
    await house.editProject('shop', { deploy: before?.spec.deploy })
    await shop.toBeReady(pushed, deadline)
    await waitFor(
      async () => findCondition((await house.project('shop'))?.status?.conditions, 'Ready')?.status === 'True',
      { ...deadline, describe: async () => `a good project: ${JSON.stringify((await house.project('shop'))?.status)}` },
    )
    expect((await checked(written((await house.project('shop')) as ReviewProject))).code).toBe(0)
  })
})

describe('a change with mistakes', { concurrent: true, timeout: 240_000 }, () => {
  it.each(
    rendering,
  )('by $title in its config file tells all of them with line and field, and holds up no other', async backend => {
    const project = backend.project({ configFile: { allow: ['args.version', 'images'] } })
    await using house = await aHouse().deployingBy(backend).withProject('shop', project).start()
    const repo = house.repo()
    const file = 'enabeld: true\nargs:\n  version: "{{ 1 }}"\n  admin: x\nimages: shop\n'
    const pull = await repo.openPullRequest({ files: { '.offshoot.yaml': file } })
    const other = await repo.openPullRequest({ files: { '.offshoot.yaml': 'args: {version: mine}\n' } })
    const environment = house.environment(pull)
    const message = await environment.toStall('Invalid', deadline)
    expect(message).toMatch(/\.offshoot\.yaml:1:1: enabeld: unknown field; .*did you mean enabled\?/)
    expect(message).toMatch(/\.offshoot\.yaml:3:3: args\.version: the value is refused: it holds \{\{/)
    expect(message).toMatch(/\.offshoot\.yaml:4:3: args\.admin: the project does not allow a branch to set this/)
    expect(message).toMatch(/\.offshoot\.yaml:5:1: images: expected a list, got a string/)
    await house.toSay(pull, 'failed', 'enabeld')
    await house.toMark(pull.sha, 'failure')
    await house.environment(other).toBeReady(other.sha, deadline)
    expect(await house.environment(other).find()).toMatchObject({ data: { version: 'mine' } })

    const mended = await repo.pushTo(pull.number, { '.offshoot.yaml': 'args: {version: better}\n' })
    await environment.toBeReady(mended, deadline)
    expect(await environment.find()).toMatchObject({ data: { version: 'better' } })
    await house.toSay(pull, 'is ready')
  })

  it('whose own name is too long says so with path and length, and no other is held up', async () => {
    await using house = await aHouse().start()
    const environment = {
      name: `${house.name}-{{ change.title }}`,
      namespace: { labels: { title: '{{ change.title }}' } },
    }
    await house.createProject('shop', objects.project({ environment }))
    const repo = house.repo()
    const pull = await repo.openPullRequest({ title: 'y'.repeat(64) })
    const other = await repo.openPullRequest({ title: 'short' })
    const probe = house.environment(pull)
    const message = await probe.toStall('Invalid', deadline)
    const length = house.name.length + 65
    expect(message).toContain(
      `spec.environment.namespace.name: expected at most 63 characters for a namespace, got ${length}`,
    )
    expect(message).toContain('spec.environment.namespace.labels.title: expected a label value (at most 63')
    await house.toSay(pull, 'failed', 'expected at most 63 characters')
    await house.environment(other).toBeReady(other.sha, deadline)
    expect(await house.environmentNamespaces()).toEqual([`${house.name}-short`])
    await repo.retitle(pull.number, 'brief')
    await probe.toBeReady(pull.sha, deadline)
    expect(await probe.namespace()).toBe(`${house.name}-brief`)
  })
})
