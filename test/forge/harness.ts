import { createForges } from '../../src/forge/forges.ts'
import type { Forge, ForgeRequest, GitAccess } from '../../src/forge/index.ts'
import { type Clock, systemClock } from '../../src/util/clock.ts'
import { silentLogger } from '../../src/util/log.ts'

/** A clock whose sleeps end at once and are remembered. */
export function quickClock(
  start = Date.parse('2026-01-01T00:00:00Z'),
): Clock & { slept: number[]; advance(ms: number): void } {
  let now = start
  const slept: number[] = []
  return {
    slept,
    now: () => now,
    advance: ms => {
      now += ms
    },
    sleep: async (ms, signal) => {
      signal?.throwIfAborted()
      slept.push(ms)
      now += ms
    },
  }
}

/** Git that must not be asked. */
export const noGit: GitAccess = {
  listBranches: () => Promise.reject(new Error('not expected')),
  readFile: () => Promise.reject(new Error('not expected')),
}

/** The forge of one GitHub repository. */
export function githubForge(
  url: string,
  options: { token?: string; clock?: Clock; deadline?: number; observe?: (request: ForgeRequest) => void } = {},
): Forge {
  const { clock = systemClock, token = 'fake-token', deadline = 5000, observe } = options
  const dependencies = { clock, logger: silentLogger, git: noGit, ...(observe ? { observe } : {}) }
  return createForges(dependencies, { deadline, retryDelay: 1, maxBytes: 5 * 1024 * 1024 }).get({
    type: 'github',
    url,
    credential: { token },
  })
}
