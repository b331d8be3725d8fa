import { readFile } from 'node:fs/promises'
import type { KubeClient } from '../kube/client.ts'
import { KubeError } from '../kube/errors.ts'
import type { KubeObject } from '../kube/types.ts'
import type { WebhookSecretSource } from '../server/target.ts'
import { InvalidInputError } from '../util/errors.ts'
import type { Logger } from '../util/log.ts'
import { flagOf } from './serve-settings.ts'

type Secret = KubeObject & { data?: Record<string, string> }

/** How long a delivery waits for a Secret, in milliseconds: forges give up after ten seconds. */
const readDeadline = 5_000

/** Webhook secrets from the installation's file and from projects' Secrets. */
export function webhookSecrets(kube: KubeClient, file: string | undefined, log: Logger): WebhookSecretSource {
  return {
    installation: async () => (file === undefined ? undefined : readFile(file, 'utf8')),
    project: async (namespace, name) => {
      try {
        const key = { apiVersion: 'v1', kind: 'Secret', namespace, name }
        const secret = await kube.get<Secret>(key, { timeout: readDeadline })
        const value = secret?.data?.webhookSecret
        return value === undefined ? undefined : Buffer.from(value, 'base64').toString('utf8')
      } catch (error) {
        if (!(error instanceof KubeError && error.isForbidden)) throw error
        // Answered like a project without secrets: what may not be read must not be told apart from outside.
        log.warn({ namespace, name }, 'Secret may not be read: run offshoot install with --project-namespace')
        return undefined
      }
    },
  }
}

/** Refuses to start with a file of secrets that cannot be read. @throws InvalidInputError */
export async function checkSecretFile(file: string | undefined): Promise<void> {
  if (file === undefined) return
  try {
    await readFile(file, 'utf8')
  } catch (cause) {
    throw new InvalidInputError([{ path: flagOf('webhookSecretFile'), message: `cannot read ${file}` }], { cause })
  }
}
