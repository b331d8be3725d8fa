/** How much a GitHub App may do with one kind of thing. */
export type AppAccess = 'read' | 'write' | 'admin'

/** What a GitHub App must be allowed for everything that Offshoot does at GitHub; see docs/github-app.md for why. */
export const appPermissions = {
  contents: 'read',
  metadata: 'read',
  pull_requests: 'write',
  statuses: 'write',
} as const satisfies Record<string, AppAccess>

/** Events that Offshoot must hear of: a push tells of new, moved and deleted branches alike. */
export const appEvents = ['pull_request', 'push'] as const

/** What a project lets Offshoot write. */
export interface ForgeUses {
  comments: boolean
  statuses: boolean
}

const ranks: Record<string, number> = { read: 1, write: 2, admin: 3 }

/** Permissions an App lacks for these uses, such as `statuses: write (it has read)`; empty when all is well. */
export function missingPermissions(
  has: Readonly<Record<string, string>>,
  uses: ForgeUses = { comments: true, statuses: true },
): string[] {
  const wanted: Record<string, AppAccess> = {
    ...appPermissions,
    pull_requests: uses.comments ? appPermissions.pull_requests : 'read',
  }
  if (!uses.statuses) delete wanted.statuses
  return Object.entries(wanted)
    .filter(([name, access]) => (ranks[has[name] ?? ''] ?? 0) < (ranks[access] ?? 0))
    .map(([name, access]) => `${name}: ${access} (it has ${has[name] ?? 'none'})`)
}

/** Events that an App does not send. */
export function missingEvents(has: readonly string[]): string[] {
  return appEvents.filter(event => !has.includes(event))
}
