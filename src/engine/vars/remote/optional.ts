import { EngineError } from '../../errors.ts'

/**
 * A module of an optional dependency, loaded when it is first needed.
 * @throws EngineError that names the package when it was not installed
 */
export async function optional<T>(name: string, load: () => Promise<T>): Promise<T> {
  try {
    return await load()
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ERR_MODULE_NOT_FOUND') throw error
    throw new EngineError(`the optional npm package ${name} is needed here and is not installed`, { cause: error })
  }
}
