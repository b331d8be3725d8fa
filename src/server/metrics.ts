import { Counter, type Registry } from 'prom-client'

/** What the server counts. */
export interface ServerMetrics {
  deliveries: Counter<'type' | 'outcome'>
}

/** Registers the server's metrics. */
export function serverMetrics(registry: Registry): ServerMetrics {
  return {
    deliveries: new Counter({
      name: 'offshoot_webhook_deliveries_total',
      help: 'Webhook deliveries by forge type and how they ended',
      labelNames: ['type', 'outcome'],
      registers: [registry],
    }),
  }
}
