export { type ControllerLimits, defaultLimits } from './context.ts'
export { Controller, type ControllerOptions } from './controller.ts'
export { defaultWorkers, type QueueName } from './queues.ts'
