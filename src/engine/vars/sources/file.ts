import { EngineError } from '../../errors.ts'
import { requiredString } from '../../project/schema/go.ts'
import type { Loaded, VarsContext, VarsSource } from '../source.ts'
import { mapOfText } from '../text.ts'

/** `file`: a YAML file of the project, rendered, and decrypted where it is encrypted with SOPS. */
export const file: VarsSource<string> = {
  name: 'file',
  schema: requiredString,
  sensitive: false,
  load: (name, context) => loadVarsFile(name, context),
}

/** Loads a file found in the given folders, by default those of the project and its parents. @throws EngineError */
export async function loadVarsFile(name: string, context: VarsContext, folders?: readonly string[]): Promise<Loaded> {
  let found: ReturnType<VarsContext['renderFile']>
  try {
    found = context.renderFile(name, folders)
  } catch (error) {
    throw new EngineError(`failed to render vars file ${name}`, { cause: error })
  }
  if (found === undefined) {
    return { missing: `failed to render vars file ${name}: absolute path of ${name} could not be resolved` }
  }
  let plain: Uint8Array | undefined
  try {
    plain = await context.host.sops.decrypt(Buffer.from(found.text), found.path, context.signal)
  } catch (error) {
    throw new EngineError(`failed to decrypt vars file ${name}`, { cause: error })
  }
  const text = plain === undefined ? found.text : Buffer.from(plain).toString('utf8')
  return { value: mapOfText(text, context.multidoc, name), sensitive: plain !== undefined }
}
