export * from './errors.ts'
export type * from './forge.ts'
export { receiveWebhook, type WebhookDelivery } from './receive-webhook.ts'
export { parseRepositoryUrl, repositoryKeys } from './repository.ts'
