import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { KubeClient } from '../../src/kube/client.ts'
import { KubeClient as Client } from '../../src/kube/client.ts'
import { KubeError } from '../../src/kube/errors.ts'
import { type Sandbox, startSandbox } from '../../src/sandbox/index.ts'
import resources from '../../src/sandbox/kinds/resources.json' with { type: 'json' }
import types from '../../src/sandbox/kinds/types.json' with { type: 'json' }
import { adminClient, uniqueName } from '../harness/cluster.ts'
import { comparable, refusal } from '../harness/contract/comparable.ts'
import { manifests } from '../harness/contract/manifests.ts'
import { steps } from '../harness/contract/steps.ts'
import { readBuiltIn } from '../sandbox/built-in.ts'

let sandbox: Sandbox
let client: KubeClient
const namespace = uniqueName('differences')
const place = uniqueName('steps')

beforeAll(async () => {
  sandbox = await startSandbox()
  client = Client.fromKubeconfig({ text: sandbox.kubeconfig() })
  for (const name of [namespace, place]) {
    const object = { apiVersion: 'v1', kind: 'Namespace', metadata: { name } }
    await Promise.all([adminClient().create(object), client.create(object)])
  }
})
afterAll(async () => {
  await client.close()
  await sandbox.close()
  await adminClient().close()
})

/** What both servers answer, in a form without what differs by nature. */
async function both(work: (client: KubeClient) => Promise<unknown>): Promise<[real: unknown, sandboxed: unknown]> {
  const one = async (server: KubeClient) => {
    try {
      return comparable(await work(server))
    } catch (error) {
      if (error instanceof KubeError) return refusal(error)
      throw error
    }
  }
  return Promise.all([one(adminClient()), one(client)])
}

describe('the sandbox does as the real API server', () => {
  it('knows the same of built-in kinds', async () => {
    const found = await readBuiltIn(adminClient())
    expect(found.resources).toEqual(resources)
    expect(found.types).toEqual(types)
  })

  it.each(
    manifests.map(manifest => [`${manifest.kind} ${manifest.metadata.name}`, manifest] as const),
  )('with %s, created and applied', async (_name, manifest) => {
    const at = (suffix: string) => {
      const name = `${manifest.metadata.name}${suffix}`
      return { ...manifest, metadata: { ...manifest.metadata, namespace, name } }
    }
    const options = { fieldManager: 'me', fieldValidation: 'Strict' } as const
    const [created, sandboxed] = await both(server => server.create(at(''), options))
    expect(sandboxed).toEqual(created)
    const [applied, boxed] = await both(server => server.apply(at('-applied'), options))
    expect(boxed).toEqual(applied)
  })

  it.each(steps.map(step => [step.name, step] as const))('step by step: %s', async (_name, { run }) => {
    const [real, sandboxed] = await both(async server => {
      const answer = (await run(server, place)) ?? 'nothing'
      return typeof answer === 'string' && answer.startsWith('{') ? JSON.parse(answer) : answer
    })
    expect(sandboxed).toEqual(real)
  })
})
