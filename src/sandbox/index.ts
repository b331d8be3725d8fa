export { limits, promisedGroups, promisedSubresources, promisedVerbs } from './contract.ts'
export { type Sandbox, type SandboxOptions, startSandbox } from './sandbox.ts'
