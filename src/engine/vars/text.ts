import { EngineError } from '../errors.ts'
import type { Json } from '../values.ts'
import { readYaml, readYamlAll, readYamlObject } from '../yaml.ts'

/** The value of a text that a source holds: YAML, a list of all documents with `multidoc`. @throws EngineError */
export function valueOfText(text: string, multidoc: boolean, origin: string): Json {
  try {
    return multidoc ? readYamlAll(text) : readYaml(text)
  } catch (error) {
    throw new EngineError(`failed to load vars from ${origin}`, { cause: error })
  }
}

/** Like `valueOfText` where one document must be a map. @throws EngineError */
export function mapOfText(text: string, multidoc: boolean, origin: string): Json {
  try {
    return multidoc ? readYamlAll(text) : readYamlObject(text)
  } catch (error) {
    throw new EngineError(`failed to load vars from ${origin}`, { cause: error })
  }
}
