import { readFile } from 'node:fs/promises'
import { join } from 'node:path'

/** A user's name and password. */
export interface GitLogin {
  readonly username: string
  readonly password: string
}

/**
 * What Git's `store` helper keeps for the host of an HTTP(S) URL (git-scm.com/docs/git-credential-store): the first
 * line that fits, of `~/.git-credentials`, then of the files in the configuration folder that kluctl and Git know.
 */
export async function storedGitLogin(
  url: string,
  environment: Readonly<Record<string, string | undefined>>,
): Promise<GitLogin | undefined> {
  const wanted = URL.parse(url)
  const { HOME: home, XDG_CONFIG_HOME: xdg } = environment
  if (wanted === null || !home) return undefined
  const config = xdg || join(home, '.config')
  for (const file of [
    join(home, '.git-credentials'),
    join(config, '.git-credentials'),
    join(config, 'git', 'credentials'),
  ]) {
    for (const line of (await readIfThere(file)).split('\n')) {
      const found = loginIn(line, wanted)
      if (found !== undefined) return found
    }
  }
  return undefined
}

function loginIn(line: string, wanted: URL): GitLogin | undefined {
  const stored = URL.parse(line.trim())
  if (stored === null || stored.protocol !== wanted.protocol || stored.host !== wanted.host) return undefined
  if (stored.username === '' || stored.password === '') return undefined
  if (wanted.username !== '' && wanted.username !== stored.username) return undefined
  return { username: decodeURIComponent(stored.username), password: decodeURIComponent(stored.password) }
}

async function readIfThere(file: string): Promise<string> {
  try {
    return await readFile(file, 'utf8')
  } catch (error) {
    if (['ENOENT', 'ENOTDIR', 'EISDIR', 'EACCES'].includes((error as NodeJS.ErrnoException).code ?? '')) return ''
    throw error
  }
}
