export { createHelm, type HelmOptions } from './charts.ts'
export { type ChartCredentialFlags, type CredentialFlags, chartCredentialsOf } from './credentials.ts'
export { ChartPuller, type PullOptions } from './pull.ts'
