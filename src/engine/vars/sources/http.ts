import type { z } from 'zod'
import { EngineError, RefusedError } from '../../errors.ts'
import { shownUrl } from '../../http.ts'
import { queryJsonPath } from '../../json-path.ts'
import { goString, requiredString, stringMap, struct } from '../../project/schema/go.ts'
import type { Json } from '../../values.ts'
import type { Loaded, VarsSource } from '../source.ts'
import { mapOfText, valueOfText } from '../text.ts'
import { remoteOf } from './shared.ts'

const schema = struct({
  url: requiredString,
  method: goString.optional(),
  body: goString.optional(),
  headers: stringMap.optional(),
  jsonPath: goString.optional(),
})

/** `http`: YAML or JSON that a server answers with, or what `jsonPath` finds in it. */
export const http: VarsSource<z.output<typeof schema>> = {
  name: 'http',
  schema,
  sensitive: false,
  async load({ url, method, body, headers, jsonPath }, context): Promise<Loaded> {
    const shown = shownUrl(url)
    if (!context.host.policy.allowsUrl(url)) throw new RefusedError(`variables from ${shown} are not allowed here`)
    const answer = await remoteOf(context).http({ url, method, body, headers }, context.signal)
    if (answer.status < 200 || answer.status >= 300) {
      const failed = `http request to ${shown} failed with status code ${answer.status}`
      if (answer.status === 404) return { missing: failed }
      throw new EngineError(answer.status === 401 ? `${failed}: ${howToAuthenticate}` : failed)
    }
    const value = valueOfText(answer.text, context.multidoc, shown)
    const sensitive = hasCredentials(url, headers)
    return { value: jsonPath === undefined ? value : select(value, jsonPath, shown), sensitive }
  },
}

/** kluctl asks on the terminal, where neither CI nor the controller can answer. */
const howToAuthenticate =
  'it wants credentials: give an Authorization header under headers, or user and password in the URL ' +
  '(both can be templates)'

function select(value: Json, jsonPath: string, shown: string): Json {
  const [found] = queryJsonPath(jsonPath, value)
  if (found === undefined) throw new EngineError(`${jsonPath} not found in result from http request ${shown}`)
  return typeof found === 'string' ? mapOfText(found, false, `${jsonPath} of ${shown}`) : found
}

function hasCredentials(url: string, headers: Record<string, string> | undefined): boolean {
  return /^[a-z]+:\/\/[^/]*@/i.test(url) || Object.keys(headers ?? {}).some(name => /^authorization$/i.test(name))
}
