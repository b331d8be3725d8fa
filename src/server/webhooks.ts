import type { IncomingMessage } from 'node:http'
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import { ObjectName, type ReviewProject } from '../api/index.ts'
import { WebhookRejected } from '../forge/errors.ts'
import type { ForgeType, WebhookEvent } from '../forge/forge.ts'
import type { Clock } from '../util/clock.ts'
import { messageOf } from '../util/errors.ts'
import type { Logger } from '../util/log.ts'
import { type BodyBudget, BodyRefused, type RawBody, readRawBody } from './body.ts'
import type { HandOver } from './hand-over.ts'
import type { ServerMetrics } from './metrics.ts'
import { nobodysSecrets, type SecretCache } from './secrets.ts'
import type { ReceiveWebhook, WebhookSecretSource, WebhookTarget } from './target.ts'

/** Largest delivery, in bytes: GitHub's own limit. */
export const maxDelivery = 25 * 1024 * 1024

/** A refusal is answered no sooner than this many milliseconds after its request, so that time tells nothing. */
const refusalFloor = 50

const types: readonly ForgeType[] = ['github', 'git']

/** What the webhook routes work with. */
export interface WebhookOptions {
  target: WebhookTarget
  receive: ReceiveWebhook
  secrets: WebhookSecretSource
  cache: SecretCache
  budget: BodyBudget
  handOver: HandOver
  metrics: ServerMetrics
  clock: Clock
  log: Logger
}

interface Params {
  type: string
  namespace?: string
  project?: string
}

/** How a delivery ended, for the answer and the metric. */
interface Outcome {
  status: number
  outcome: 'enqueued' | 'ignored' | 'ping' | 'refused' | 'unavailable' | 'handedOver'
  message: string
}

/** Routes `POST /webhooks/{type}` and `POST /webhooks/{type}/{namespace}/{project}`. */
export function webhookRoutes(server: FastifyInstance, options: WebhookOptions): void {
  server.removeAllContentTypeParsers()
  server.addContentTypeParser('application/json', (_request: FastifyRequest, payload: IncomingMessage) =>
    readRawBody(payload, maxDelivery, options.budget),
  )
  server.addHook('onRequest', async (request, reply) => {
    if (!types.includes((request.params as Params).type as ForgeType)) {
      return reply.code(404).send({ error: `no such webhook type; there are: ${types.join(', ')}` })
    }
    const proof = options.handOver.proof(request.raw)
    const taken = options.target.accepting() || options.handOver.possible(request.raw)
    if (!taken || proof === undefined) return finish(request, reply, options, notLeading)
    reply.headers(proof)
  })
  const handle = async (request: FastifyRequest<{ Params: Params }>, reply: FastifyReply) => {
    const body = request.body as RawBody | undefined
    try {
      const bytes = body?.bytes ?? Buffer.alloc(0)
      const outcome = options.target.accepting()
        ? await deliver(request, bytes, options)
        : await handOver(request, bytes, options)
      return await finish(request, reply, options, outcome)
    } finally {
      body?.release()
    }
  }
  server.post('/webhooks/:type', handle)
  server.post('/webhooks/:type/:namespace/:project', handle)
  server.setErrorHandler((error, request, reply) => finish(request, reply, options, outcomeOf(error, options)))
}

const notLeading: Outcome = {
  status: 503,
  outcome: 'unavailable',
  message: 'this replica is not leading; deliver again',
}

/** What the leader says is the answer; without one, nobody is known to act on the delivery. */
async function handOver(request: FastifyRequest, body: Buffer, options: WebhookOptions): Promise<Outcome> {
  const answer = await options.handOver.send(request.raw, body)
  return answer === undefined ? notLeading : { ...answer, outcome: answer.status === 202 ? 'handedOver' : 'refused' }
}

async function deliver(
  request: FastifyRequest<{ Params: Params }>,
  body: Buffer,
  options: WebhookOptions,
): Promise<Outcome> {
  const type = request.params.type as ForgeType
  const { namespace, project: name } = request.params
  const project = projectAt(request.params, options)
  const secrets = namespace === undefined ? await installationSecrets(type, options) : await secretsOf(project, options)
  // Also when there is nobody to speak to: the answer and the work are those of a wrong signature.
  const known = secrets !== undefined && secrets.length > 0
  const event = await options.receive({
    type,
    headers: request.headers,
    body,
    secrets: known ? secrets : nobodysSecrets,
  })
  if (!known || (name !== undefined && project === undefined)) throw new WebhookRejected(401, 'no valid signature')
  if (!options.target.accepting()) return notLeading
  return enqueue(event, type, project, options)
}

function projectAt(params: Params, { target }: WebhookOptions): ReviewProject | undefined {
  const { namespace, project: name } = params
  if (!ObjectName.safeParse(namespace).success || !ObjectName.safeParse(name).success) return undefined
  const project = target.project(namespace ?? '', name ?? '')
  return project?.spec.source.forge.type === params.type ? project : undefined
}

function installationSecrets(type: ForgeType, { secrets, cache }: WebhookOptions): Promise<string[]> {
  return cache.get(`installation ${type}`, () => secrets.installation(type))
}

async function secretsOf(project: ReviewProject | undefined, options: WebhookOptions): Promise<string[] | undefined> {
  const secretName = project?.spec.source.forge.secretRef?.name
  if (!project || secretName === undefined) return undefined
  const { namespace } = project.metadata
  return options.cache.get(`${namespace}/${secretName}`, () => options.secrets.project(namespace, secretName))
}

function enqueue(
  event: WebhookEvent,
  type: ForgeType,
  only: ReviewProject | undefined,
  options: WebhookOptions,
): Outcome {
  const fields = { type, delivery: event.delivery }
  if (event.kind === 'ping') return { status: 202, outcome: 'ping', message: 'pong' }
  if (event.kind === 'ignored') {
    options.log.debug({ ...fields, reason: event.reason }, 'delivery ignored')
    return { status: 202, outcome: 'ignored', message: `ignored: ${event.reason}` }
  }
  const listening = options.target.listening(type, event.repository.keys)
  const projects = only
    ? listening.filter(
        project =>
          project.metadata.namespace === only.metadata.namespace && project.metadata.name === only.metadata.name,
      )
    : listening
  const taken = projects.flatMap(({ metadata: { namespace, name } }) =>
    event.refs.map(change => options.target.enqueue({ namespace, name }, change)),
  )
  if (taken.includes(false)) return { status: 503, outcome: 'unavailable', message: 'the queue is full; deliver again' }
  options.log.info({ ...fields, projects: projects.length, changes: event.refs.length }, 'delivery accepted')
  if (projects.length === 0)
    return { status: 202, outcome: 'ignored', message: 'ignored: no project follows this repository' }
  return { status: 202, outcome: 'enqueued', message: 'accepted' }
}

function outcomeOf(error: unknown, { log }: WebhookOptions): Outcome {
  if (error instanceof WebhookRejected) {
    // One text for every 401: it must not tell whether a project or a secret exists.
    const message = error.status === 401 ? 'no valid signature' : error.message
    return { status: error.status, outcome: 'refused', message }
  }
  if (error instanceof BodyRefused) {
    return { status: error.status, outcome: error.status === 503 ? 'unavailable' : 'refused', message: error.message }
  }
  const code = (error as { code?: unknown }).code
  if (code === 'FST_ERR_CTP_INVALID_MEDIA_TYPE') {
    return { status: 415, outcome: 'refused', message: 'content type must be application/json' }
  }
  const status = (error as { statusCode?: unknown }).statusCode
  if (typeof status === 'number' && status >= 400 && status < 500) {
    return { status, outcome: 'refused', message: 'the request cannot be read' }
  }
  log.error({ error: messageOf(error) }, 'delivery could not be handled')
  return { status: 503, outcome: 'unavailable', message: 'try again later' }
}

async function finish(request: FastifyRequest, reply: FastifyReply, options: WebhookOptions, end: Outcome) {
  const { type = 'unknown' } = request.params as Partial<Params>
  options.metrics.deliveries.inc({ type, outcome: end.outcome })
  if (end.status === 401) {
    const passed = reply.elapsedTime
    if (passed < refusalFloor) await options.clock.sleep(refusalFloor - passed)
    options.log.warn({ type, path: request.url.slice(0, 256) }, 'delivery refused')
  }
  if (end.status === 503) reply.header('retry-after', '10')
  return reply.code(end.status).send(end.status < 300 ? { message: end.message } : { error: end.message })
}
