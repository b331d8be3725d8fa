/** How much of something a GitHub App may do. */
export type Access = 'read' | 'write' | 'admin'

/** Permissions of an App, by name. */
export type Grants = Record<string, Access>

/**
 * What each endpoint asks of a GitHub App, by method and path below `/repos/{owner}/{repo}`.
 * Source: GitHub, "Permissions required for GitHub Apps".
 */
const needs: [RegExp, RegExp, string, Access][] = [
  [/^GET$/, /^$/, 'metadata', 'read'],
  [/^GET$/, /^\/pulls/, 'pull_requests', 'read'],
  [/^(POST|PATCH)$/, /^\/pulls/, 'pull_requests', 'write'],
  [/^PUT$/, /^\/pulls\/\d+\/merge$/, 'contents', 'write'],
  [/^GET$/, /^\/(branches|git\/|contents\/)/, 'contents', 'read'],
  [/^GET$/, /^\/issues\/(\d+\/comments|comments\/\d+)$/, 'pull_requests', 'read'],
  [/^(POST|PATCH|DELETE)$/, /^\/issues\/(\d+\/(comments|labels)|comments\/\d+)/, 'pull_requests', 'write'],
  [/^POST$/, /^\/statuses\//, 'statuses', 'write'],
  [/^GET$/, /^\/commits\/[^/]+\/statuses$/, 'statuses', 'read'],
  [/^GET$/, /^\/hooks/, 'repository_hooks', 'read'],
  [/^POST$/, /^\/hooks/, 'repository_hooks', 'write'],
]

/** What a request needs; undefined for what no App may do. */
export function needOf(method: string, path: string): { name: string; access: Access } | undefined {
  const [, , name, access] = needs.find(([verb, pattern]) => verb.test(method) && pattern.test(path)) ?? []
  return name === undefined || access === undefined ? undefined : { name, access }
}
