/** `Current`: as wanted. `InProgress`: on its way. `Failed`: will not get there alone. `Terminating`: being deleted. */
export type HealthStatus = 'Current' | 'InProgress' | 'Failed' | 'Terminating'

/** How an object is, and why, for people. */
export interface Health {
  status: HealthStatus
  message: string
}
