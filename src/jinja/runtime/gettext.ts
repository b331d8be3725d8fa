import type { EnvironmentOptions } from '../options.ts'
import { HostFunction, type Value } from '../values.ts'

export function gettextGlobals(_options: EnvironmentOptions): Map<string, Value> {
  return new Map([['gettext', new HostFunction('gettext', (_c, args) => args[0] ?? '')]])
}
