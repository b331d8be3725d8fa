import { homedir } from 'node:os'
import { join } from 'node:path'

/** `OFFSHOOT_CACHE_DIR`, else `offshoot` in the user's cache folder. */
export function cacheFolderOf(environment: Readonly<Record<string, string | undefined>>): string {
  const { OFFSHOOT_CACHE_DIR: own, XDG_CACHE_HOME: xdg } = environment
  if (own) return own
  return join(xdg || join(homedir(), '.cache'), 'offshoot')
}
