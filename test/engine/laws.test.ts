import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { listTargets } from '../../src/engine/commands/list-targets.ts'
import { render } from '../../src/engine/commands/render.ts'
import { RefusedError } from '../../src/engine/errors.ts'
import { allowAll, type EngineHost, silentProgress } from '../../src/engine/host.ts'
import { localHost } from '../../src/engine/local/local-host.ts'
import { clone, isEqual, type JsonObject, merge } from '../../src/engine/values.ts'
import { writeYamlAll } from '../../src/engine/yaml.ts'
import { systemClock } from '../../src/util/clock.ts'
import { silentLogger } from '../../src/util/log.ts'
import { configMap, TestProject } from './harness/project.ts'

const signal = new AbortController().signal

const unused = () => Promise.reject(new Error('not asked for'))

async function withHost<T>(use: (host: EngineHost) => Promise<T>): Promise<T> {
  const environment = { PATH: process.env.PATH, HOME: process.env.HOME, SECRET_OF_HOST: 'hidden' }
  await using local = localHost({ environment, clock: systemClock, logger: silentLogger, progress: silentProgress })
  return await use(local.host)
}

interface Item {
  name: string
  value: number
  files: string[]
  usesMacro: boolean
}

const item = fc.record({
  name: fc.stringMatching(/^[a-z]{1,6}$/),
  value: fc.integer(),
  files: fc.uniqueArray(fc.stringMatching(/^[a-z]{1,4}$/), { minLength: 1, maxLength: 4 }),
  usesMacro: fc.boolean(),
})
const items = fc.uniqueArray(item, { selector: ({ name }) => name, minLength: 1, maxLength: 4 })

/** A project of these items; every file's object carries the item's own variable and one of the project's. */
function filesOf(all: readonly Item[], shared: number): [string, string][] {
  const deployments = all.map(({ name, value }) => `- path: items/${name}\n  vars:\n  - values: {own: ${value}}\n`)
  const files: [string, string][] = [
    ['deployment.yaml', `vars:\n- file: vars.yaml\ndeployments:\n${deployments.join('')}`],
    ['vars.yaml', `shared: ${shared}\n`],
    ['macros.j2', '{% macro twice(x) %}{{ x }}-{{ x }}{% endmacro %}'],
  ]
  for (const { name, files: names, usesMacro } of all) {
    const head = usesMacro ? '{% import "macros.j2" as m %}' : ''
    const own = usesMacro ? '{{ m.twice(own) }}' : 'v{{ own }}'
    for (const file of names) {
      files.push([`items/${name}/${file}.yaml`, head + configMap(`${name}-${file}`, { own, shared: 's{{ shared }}' })])
    }
  }
  return files
}

async function rendered(files: readonly [string, string][]): Promise<JsonObject[]> {
  await using project = await TestProject.of({})
  for (const [path, content] of files) await project.write({ [path]: content })
  return await withHost(async host => [...(await render(host, { projectDir: project.folder }, signal)).objects])
}

describe('laws of rendering', { timeout: 120_000 }, () => {
  test('twice gives the same bytes, and the order in which files were written does not matter', async () => {
    await fc.assert(
      fc.asyncProperty(items, fc.integer(), fc.infiniteStream(fc.nat()), async (all, shared, random) => {
        const files = filesOf(all, shared)
        const shuffled = files.map(file => [random.next().value ?? 0, file] as const).sort(([a], [b]) => a - b)
        const once = writeYamlAll(await rendered(files))
        expect(once).not.toBe('')
        expect(writeYamlAll(await rendered(shuffled.map(([, file]) => file)))).toBe(once)
      }),
      { numRuns: 6 },
    )
  })

  test('an item gives the same objects whatever the other items are', async () => {
    await fc.assert(
      fc.asyncProperty(items, items, fc.integer(), async (some, others, shared) => {
        const added = others.filter(({ name }) => some.every(one => one.name !== name))
        const mine = new Set(some.map(({ name }) => `items/${name}`))
        const folder = (object: JsonObject) =>
          (object.metadata as { annotations: Record<string, string> }).annotations['kluctl.io/deployment-item-dir'] ??
          ''
        const among = (await rendered(filesOf([...added, ...some], shared))).filter(object => mine.has(folder(object)))
        expect(writeYamlAll(among)).toBe(writeYamlAll(await rendered(filesOf(some, shared))))
      }),
      { numRuns: 6 },
    )
  })
})

describe('laws of merging', () => {
  const leaf = fc.oneof(fc.integer(), fc.string(), fc.constant(null), fc.array(fc.integer(), { maxLength: 2 }))
  const tree = fc.letrec<{ map: JsonObject }>(tie => ({
    map: fc.dictionary(
      fc.constantFrom('a', 'b', 'c'),
      fc.oneof({ maxDepth: 3 }, leaf, tie('map')),
    ) as fc.Arbitrary<JsonObject>,
  })).map

  test('merging twice is merging once, a map over itself is itself, and what is merged in stays as it was', () => {
    fc.assert(
      fc.property(tree, tree, (a, b) => {
        const before = clone(b)
        const ab = merge(clone(a), b)
        expect(isEqual(b, before)).toBe(true)
        expect(isEqual(merge(clone(ab), b), ab)).toBe(true)
        expect(isEqual(merge(clone(a), a), a)).toBe(true)
      }),
    )
  })
})

describe('what a policy forbids', () => {
  const policy = {
    ...allowAll,
    sources: new Set(['values', 'file'] as const),
    allowsUrl: () => false,
    outsideLinks: false,
  }

  test.each([
    ['systemEnvVars: {a: SECRET_OF_HOST}', 'variables from systemEnvVars are not allowed here'],
    ['git: {url: "https://git.example.com/o/r", path: x}', 'variables from git are not allowed here'],
    ['http: {url: "https://example.com"}', 'variables from http are not allowed here'],
  ])('%s', async (source, message) => {
    await using project = await TestProject.of({ 'deployment.yaml': `vars:\n- ${source}\n` })
    const work = withHost(host => render({ ...host, policy }, { projectDir: project.folder }, signal))
    await expect(work).rejects.toThrow(message)
  })

  test('but what it allows works: includes and variables from another repository', async () => {
    await using other = await TestProject.of({
      'lib/deployment.yaml': 'deployments:\n- path: x\n',
      'lib/x/x.yaml': configMap('x', { v: '{{ v }}' }),
      'vars.yaml': 'v: v{{ 1 + 1 }}\n',
    })
    await using project = await TestProject.of({
      'deployment.yaml':
        'vars:\n- git: {url: "https://git.example.com/o/r", path: vars.yaml}\n' +
        'deployments:\n- git: {url: "https://git.example.com/o/r", subDir: lib}\n',
    })
    const git = { checkout: () => Promise.resolve({ folder: other.folder, revision: '1' }), listRefs: unused }
    const allowed = { ...policy, sources: new Set(['git'] as const), allowsUrl: () => true }
    const { objects } = await withHost(host =>
      render({ ...host, git, policy: allowed }, { projectDir: project.folder }, signal),
    )
    expect(objects.map(object => object.data)).toMatchObject([{ v: 'v2' }])
  })

  test('including another repository', async () => {
    await using project = await TestProject.of({
      'deployment.yaml': 'deployments:\n- git: https://git.example.com/o/r\n',
    })
    const work = withHost(host => render({ ...host, policy }, { projectDir: project.folder }, signal))
    await expect(work).rejects.toThrow('including https://git.example.com/o/r is not allowed here')
  })

  test.each(['/etc/hostname', '../../../../../etc/hostname'])('reading %s', async path => {
    await using project = await TestProject.of({ 'deployment.yaml': `vars:\n- file: ${path}\n` })
    const work = withHost(host => render({ ...host, policy }, { projectDir: project.folder }, signal))
    await expect(work).rejects.toThrow(`absolute path of ${path} could not be resolved`)
  })

  test('the error says that it is a refusal', async () => {
    expect(new RefusedError('x').name).toBe('RefusedError')
    await using project = await TestProject.of({
      '.kluctl.yaml': 'targets:\n- name: "{{ load_template(\'/etc/hostname\') }}"\n',
    })
    const targets = await withHost(host => listTargets({ ...host, policy }, { projectDir: project.folder }, signal))
    expect(targets).toEqual([])
  })
})

test('an aborted run ends with the reason of its signal', async () => {
  await using project = await TestProject.of({
    'deployment.yaml': 'deployments:\n- path: a\n',
    'a/x.yaml': configMap('x'),
  })
  const reason = new Error('enough')
  const work = withHost(host => render(host, { projectDir: project.folder }, AbortSignal.abort(reason)))
  await expect(work).rejects.toBe(reason)
})
