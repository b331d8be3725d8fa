import { randomBytes } from 'node:crypto'
import { beforeEach, describe, expect, it } from 'vitest'
import { type Ended, keepResult } from '../../src/backend/engine/keep-result.ts'
import type { EngineRequest } from '../../src/backend/engine.ts'
import { silentProgress } from '../../src/engine/host.ts'
import type { Manifest } from '../../src/engine/item.ts'
import { SensitiveTexts } from '../../src/engine/plan/sensitive.ts'
import { ResultStore } from '../../src/engine/result/store.ts'
import type { KubeClient } from '../../src/kube/client.ts'
import { KubeError } from '../../src/kube/errors.ts'
import type { KubeObject } from '../../src/kube/types.ts'

const signal = new AbortController().signal
const ref = { version: 'v1', kind: 'ConfigMap', name: 'config', namespace: 'shop-pr-1' }
const failure = [{ ref, message: 'metadata.labels: Invalid value: "correct horse"' }]
let secrets: KubeObject[]
let refusal: KubeError | undefined
/** Answers of the server before it gets well. */
let trouble: KubeError[]

beforeEach(() => {
  secrets = []
  refusal = undefined
  trouble = []
})

/** A namespace that takes Secrets. */
const kube = {
  apply: async (secret: KubeObject) => {
    const failed = trouble.shift() ?? refusal
    if (failed !== undefined) throw failed
    secrets.push(secret)
  },
  list: async () => ({ items: secrets, resourceVersion: '1' }),
  delete: async ({ name }: { name: string }) => {
    secrets = secrets.filter(({ metadata }) => metadata.name !== name)
  },
} as unknown as KubeClient

function configMap(data: Record<string, string>): Manifest {
  const { name, namespace } = ref
  return { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name, namespace }, data }
}

/** A deployment that created a ConfigMap, at a moment of its own. */
function deployment(
  change: Partial<Ended> & { sensitive?: SensitiveTexts; at?: number; data?: Record<string, string> },
): Ended {
  const { sensitive = new SensitiveTexts(), at = 0, data = { key: 'value' }, ...rest } = change
  const object = configMap(data)
  const target = { name: 'preview', discriminator: `shop-${at}` }
  return {
    rendered: {
      target: 'preview',
      discriminator: `shop-${at}`,
      items: [],
      sensitive,
      told: {
        target,
        args: { password: data.key ?? '' },
        deployment: { vars: [{ values: data }] },
        images: [{ image: data.key }],
      } as unknown as Ended['rendered']['told'],
    },
    fixedImages: [],
    commit: 'a'.repeat(40),
    clusterId: 'c',
    findings: { rendered: [object], applied: [object], created: [ref] },
    errors: [],
    warnings: [],
    began: at * 1000,
    ended: at * 1000,
    ...rest,
  }
}

function keep(ended: Ended, keepResults = 5) {
  const source = {
    url: 'https://git.example.com/shop.git',
    path: 'deploy',
    ref: { commit: ended.commit },
    ownRepository: true,
  }
  const request = { desired: { keepResults, source, target: 'preview' }, namespace: 'shop-pr-1', kube }
  return keepResult(request as unknown as EngineRequest, ended, signal)
}

const store = () =>
  new ResultStore(kube, {
    namespace: 'shop-pr-1',
    keepCommandResults: 5,
    keepValidateResults: 0,
    progress: silentProgress,
  })
const bytes = ({ data }: KubeObject) =>
  Object.values(data as Record<string, string>).reduce((sum, text) => sum + text.length * 0.75, 0)

describe('the result of an environment’s deployment', () => {
  it('is kept as kluctl keeps it, with what it was made from', async () => {
    const { id = '' } = await keep(deployment({}))
    expect(secrets[0]?.metadata).toMatchObject({
      namespace: 'shop-pr-1',
      labels: { 'kluctl.io/command-result-id': id },
    })
    expect((await store().listCommandResults(signal))[0]).toMatchObject({
      id,
      projectKey: { repoKey: 'git://git.example.com/shop', subDir: 'deploy' },
      targetKey: { targetName: 'preview', clusterId: 'c', discriminator: 'shop-0' },
      gitInfo: { url: 'https://git.example.com/shop.git', commit: 'a'.repeat(40), dirty: false },
      newObjects: 1,
      errors: null,
    })
    expect(await store().getCommandResult(id, signal)).toMatchObject({
      objects: [{ ref, applied: { data: { key: 'value' } } }],
    })
  })

  it('is kept of what changed or failed only, and of none where none are wanted', async () => {
    const findings = { rendered: [configMap({})], applied: [configMap({})] }
    expect(await keep(deployment({ findings }))).toEqual({})
    expect(await keep(deployment({}), 0)).toEqual({})
    expect(secrets).toEqual([])
    const { id } = await keep(deployment({ findings, errors: failure }))
    expect(id).toBe(secrets[0]?.metadata.labels?.['kluctl.io/command-result-id'])
  })

  it('is not kept again of a failure that repeats the one before', async () => {
    const findings = { rendered: [configMap({})] }
    const first = await keep(deployment({ findings, errors: failure }))
    expect(await keep(deployment({ findings, errors: failure }))).toEqual(first)
    expect(secrets).toHaveLength(1)
    await keep(deployment({ findings, errors: [{ ref, message: 'something else' }] }))
    await keep(deployment({ findings, errors: failure, commit: 'b'.repeat(40) }))
    expect(secrets).toHaveLength(3)
  })

  it('takes the place of the oldest, whatever the discriminators were', async () => {
    for (let at = 1; at <= 4; at++) await keep(deployment({ at }), 2)
    const kept = await store().listCommandResults(signal)
    expect(kept.map(({ targetKey }) => targetKey.discriminator)).toEqual(['shop-4', 'shop-3'])
  })

  it('is bounded in bytes: what is largest goes first, and it still tells what happened', async () => {
    const noise = () => randomBytes(60_000).toString('hex')
    const { id = '' } = await keep(deployment({ data: { key: noise(), other: noise() } }))
    expect(bytes(secrets[0] as KubeObject)).toBeLessThan(100_000)
    const result = await store().getCommandResult(id, signal)
    expect(result?.objects).toMatchObject([{ ref, new: true }])
    expect(JSON.stringify(result?.objects)).not.toContain('"data"')
    const errors = Array.from({ length: 500 }, (_, index) => ({ ref, message: `${index} ${noise()}` }))
    await keep(deployment({ errors, at: 1 }))
    const [newest] = await store().listCommandResults(signal)
    expect(newest?.errors).toHaveLength(20)
    expect(newest?.errors?.at(-1)?.message).toBe('and 481 more')
    for (const { metadata } of secrets) expect(JSON.stringify(metadata.annotations).length).toBeLessThan(100_000)
  })

  it('holds nothing that is secret: neither data of Secrets nor what came from sensitive variables', async () => {
    const sensitive = SensitiveTexts.from(['correct horse'])
    const data = {
      key: 'correct horse',
      url: 'pg://u:correct horse@db',
      encoded: Buffer.from('correct horse').toString('base64'),
    }
    const { id = '' } = await keep(deployment({ sensitive, data, errors: failure }))
    const all = JSON.stringify([await store().getCommandResult(id, signal), secrets[0]?.metadata])
    expect(all).toContain('*****')
    for (const value of Object.values(data)) expect(all).not.toContain(value)
    // Where nobody knows which texts are secret, nothing is kept.
    expect(await keep(deployment({ sensitive: SensitiveTexts.from('all') }))).toEqual({})
    expect(secrets).toHaveLength(1)
  })

  it('that cannot be kept is told, and nothing fails over it', async () => {
    refusal = new KubeError(403, 'Forbidden', 'secrets is forbidden')
    expect(await keep(deployment({}))).toEqual({ warning: expect.stringContaining('is forbidden') })
  })

  it('is kept although the server is in trouble for a moment', async () => {
    trouble = [new KubeError(503, 'ServiceUnavailable', 'away'), new KubeError(409, 'Conflict', 'changed meanwhile')]
    expect(await keep(deployment({}))).toEqual({ id: expect.any(String) })
    expect(secrets).toHaveLength(1)
  })

  it('is kept beside results that somebody has damaged or made up', async () => {
    const made = (name: string, summary: unknown): KubeObject => ({
      apiVersion: 'v1',
      kind: 'Secret',
      metadata: { name, annotations: { 'kluctl.io/command-result-summary': JSON.stringify(summary) } },
    })
    secrets = [made('null', null), made('empty', {}), made('text', 'x'), made('deep', { id: '../x', projectKey: 1 })]
    const { id } = await keep(deployment({}))
    expect((await store().listCommandResults(signal)).map(one => one.id)).toEqual([id])
  })
})
