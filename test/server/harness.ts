import { Registry } from 'prom-client'
import {
  apiVersion,
  type ChangeIdentity,
  changeKey,
  type ReviewProject,
  ReviewProjectSpec,
} from '../../src/api/index.ts'
import { receiveWebhook, repositoryKeys } from '../../src/forge/index.ts'
import { type RunningServer, type ServerOptions, startServer } from '../../src/server/server.ts'
import { systemClock } from '../../src/util/clock.ts'
import { silentLogger } from '../../src/util/log.ts'
import { deliveryHeaders } from '../harness/forge/deliveries.ts'

/** A project as the API server would hold it. */
export function project(namespace: string, name: string, url: string, secret?: string): ReviewProject {
  const spec = ReviewProjectSpec.parse({
    source: { url, forge: { type: 'github', ...(secret ? { secretRef: { name: secret } } : {}) } },
    deploy: { objects: { manifests: [{ apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'x' } }] } },
  })
  return { apiVersion, kind: 'ReviewProject', metadata: { namespace, name }, spec }
}

/** A server with what it would otherwise ask of the controller and the cluster. */
export interface TestServer extends RunningServer {
  /** `namespace/name change` in the order in which they were asked for. */
  enqueued: string[]
  state: {
    accepting: boolean
    queueFull: boolean
    notReady: string | undefined
    identity: string | undefined
    leader: { identity: string; url: string } | undefined
  }
  secretReads: string[]
  [Symbol.asyncDispose](): Promise<void>
}

/** Starts the real server on a free port of the loopback interface. */
export async function testServer(
  setup: {
    projects?: ReviewProject[]
    /** `namespace/name` of a Secret to its `webhookSecret`. */
    secrets?: Record<string, string>
    installation?: string[]
    /** Reading a project’s Secret fails with this. */
    secretsFail?: Error
  } & Pick<Partial<ServerOptions>, 'limits' | 'receive' | 'log' | 'metricsListen'>,
): Promise<TestServer> {
  const { projects = [], secrets = {}, installation = [], secretsFail, ...rest } = setup
  const enqueued: string[] = []
  const secretReads: string[] = []
  const state: TestServer['state'] = {
    accepting: true,
    queueFull: false,
    notReady: undefined,
    identity: 'leader',
    leader: undefined,
  }
  const server = await startServer({
    listen: { host: '127.0.0.1', port: 0 },
    target: {
      accepting: () => state.accepting,
      identity: () => state.identity,
      otherLeader: () => state.leader,
      project: (namespace, name) =>
        projects.find(({ metadata }) => metadata.namespace === namespace && metadata.name === name),
      listening: (type, keys) =>
        projects.filter(
          ({ spec }) =>
            spec.source.forge.type === type && repositoryKeys(spec.source.url).some(key => keys.includes(key)),
        ),
      enqueue: ({ namespace, name }, change: ChangeIdentity) => {
        if (state.queueFull) return false
        enqueued.push(`${namespace}/${name} ${changeKey(change)}`)
        return true
      },
    },
    receive: receiveWebhook,
    secrets: {
      installation: async type => (type === 'github' ? installation.join('\n') : undefined),
      project: async (namespace, name) => {
        secretReads.push(`${namespace}/${name}`)
        if (secretsFail) throw secretsFail
        return secrets[`${namespace}/${name}`]
      },
    },
    health: { notReady: () => state.notReady },
    registry: new Registry(),
    clock: systemClock,
    log: silentLogger,
    ...rest,
  })
  return { ...server, enqueued, state, secretReads, [Symbol.asyncDispose]: () => server.close(0) }
}

/** A `pull_request` delivery's body. */
export function pullRequestBody(repository: string, number: number, action = 'opened'): string {
  const [owner, name] = repository.split('/')
  return JSON.stringify({
    action,
    number,
    pull_request: { number, head: { ref: 'feature/x', sha: 'a'.repeat(40) }, base: { ref: 'main' } },
    repository: {
      id: 1,
      full_name: repository,
      name,
      owner: { login: owner },
      html_url: `https://github.com/${repository}`,
      clone_url: `https://github.com/${repository}.git`,
    },
  })
}

/** Headers of a delivery as GitHub sends it, signed with `secret`. */
export function signed(body: string | Buffer, secret: string, event = 'pull_request'): Record<string, string> {
  return deliveryHeaders(event, body, secret)
}
