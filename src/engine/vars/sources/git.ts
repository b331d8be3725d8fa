import type { z } from 'zod'
import { RefusedError } from '../../errors.ts'
import { requiredString, struct } from '../../project/schema/go.ts'
import { gitRef, gitUrl } from '../../project/schema/sources.ts'
import type { VarsSource } from '../source.ts'
import { loadVarsFile } from './file.ts'

const schema = struct({ url: gitUrl, ref: gitRef.optional(), path: requiredString })

/** `git`: a YAML file of another repository. */
export const git: VarsSource<z.output<typeof schema>> = {
  name: 'git',
  schema,
  sensitive: false,
  async load({ url, ref, path }, context) {
    const { host, signal } = context
    if (!host.policy.allowsUrl(url)) throw new RefusedError(`variables from ${url} are not allowed here`)
    const { folder } = await host.git.checkout(url, ref, signal)
    return loadVarsFile(path, context, [folder])
  },
}
