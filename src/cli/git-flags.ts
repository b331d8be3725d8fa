import { type Command, Option } from 'commander'
import type { GitCredentialFlags } from '../engine/local/credentials.ts'
import { parseDuration } from './duration.ts'

/** How other repositories are reached, by kluctl's names. */
export interface GitOptions extends GitCredentialFlags {
  /** Milliseconds. */
  gitCacheUpdateInterval?: number
}

const flags: readonly [string, string][] = [
  ['--git-username <host/path=name>', 'user name for Git over HTTPS'],
  ['--git-password <host/path=password>', 'password for Git over HTTPS'],
  ['--git-ca-file <host/path=file>', 'certificate authority of a Git server'],
  ['--git-ssh-key-file <host/path=file>', 'private key for Git over SSH'],
  ['--git-ssh-known-hosts-file <host/path=file>', 'known hosts for Git over SSH'],
]

/** Adds the flags for repositories. What others must not see belongs into `KLUCTL_GIT_…` variables. */
export function withGitFlags(command: Command): void {
  const collect = (value: string, before: string[]) => [...before, value]
  for (const [names, description] of flags) {
    command.addOption(new Option(names, description).argParser(collect).default([], 'none'))
  }
  command.option(
    '--git-cache-update-interval <duration>',
    'how long branches and tags that were seen are believed to stay (default: ask each time)',
    (text: string) => (/^0+(?:ms|h|m|s)?$/.test(text) ? 0 : parseDuration(text)),
  )
}
