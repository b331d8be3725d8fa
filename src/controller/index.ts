export { type ControllerLimits, defaultLimits } from './context.ts'
export { Controller } from './controller.ts'
export type { ControllerOptions } from './options.ts'
export { defaultWorkers, type QueueName } from './queues.ts'
