import { type Comment, type PullRequest, type Status, userId } from './model.ts'

/** Where links in answers point to. */
export interface Place {
  /** `http://127.0.0.1:port` */
  origin: string
  /** `owner/name` */
  fullName: string
  id: number
  defaultBranch: string
  private: boolean
}

type Json = Record<string, unknown>

/** GitHub's `simple-user`. */
export function userShape(origin: string, login: string): Json {
  const url = `${origin}/api/v3/users/${login}`
  return {
    login,
    id: userId(login),
    node_id: `U_${userId(login)}`,
    avatar_url: `${origin}/avatars/${userId(login)}`,
    gravatar_id: '',
    url,
    html_url: `${origin}/${login}`,
    followers_url: `${url}/followers`,
    following_url: `${url}/following{/other_user}`,
    gists_url: `${url}/gists{/gist_id}`,
    starred_url: `${url}/starred{/owner}{/repo}`,
    subscriptions_url: `${url}/subscriptions`,
    organizations_url: `${url}/orgs`,
    repos_url: `${url}/repos`,
    events_url: `${url}/events{/privacy}`,
    received_events_url: `${url}/received_events`,
    type: login.endsWith('[bot]') ? 'Bot' : 'User',
    site_admin: false,
  }
}

const repositoryLinks = [
  'forks', 'keys', 'collaborators', 'teams', 'hooks', 'issue_events', 'events', 'assignees', 'branches', 'tags',
  'blobs', 'git_tags', 'git_refs', 'trees', 'statuses', 'languages', 'stargazers', 'contributors', 'subscribers',
  'subscription', 'commits', 'git_commits', 'comments', 'issue_comment', 'contents', 'compare', 'merges', 'archive',
  'downloads', 'issues', 'pulls', 'milestones', 'notifications', 'labels', 'releases', 'deployments',
] // biome-ignore format: a list

/** GitHub's `repository`. */
export function repositoryShape(place: Place, fullName = place.fullName, id = place.id): Json {
  const [owner = '', name = ''] = fullName.split('/')
  const url = `${place.origin}/api/v3/repos/${fullName}`
  return {
    id,
    node_id: `R_${id}`,
    name,
    full_name: fullName,
    private: place.private,
    owner: userShape(place.origin, owner),
    html_url: `${place.origin}/${fullName}`,
    description: null,
    fork: fullName !== place.fullName,
    url,
    ...Object.fromEntries(repositoryLinks.map(link => [`${link}_url`, `${url}/${link}`])),
    clone_url: `${place.origin}/${fullName}.git`,
    git_url: `git://${new URL(place.origin).host}/${fullName}.git`,
    ssh_url: `git@${new URL(place.origin).hostname}:${fullName}.git`,
    default_branch: place.defaultBranch,
    archived: false,
    disabled: false,
    visibility: place.private ? 'private' : 'public',
  }
}

/** GitHub's `pull-request`; the list's items are the same but for a few counters. */
export function pullShape(place: Place, pull: PullRequest, baseSha: string): Json {
  const url = `${place.origin}/api/v3/repos/${place.fullName}/pulls/${pull.number}`
  const issue = `${place.origin}/api/v3/repos/${place.fullName}/issues/${pull.number}`
  const headName = pull.head === 'own' ? place.fullName : `${pull.author}/${place.fullName.split('/')[1]}`
  const headRepository =
    pull.head === 'gone' ? null : repositoryShape(place, headName, pull.head === 'own' ? place.id : userId(headName))
  return {
    url,
    id: place.id * 100_000 + pull.number,
    node_id: `PR_${pull.number}`,
    html_url: `${place.origin}/${place.fullName}/pull/${pull.number}`,
    diff_url: `${place.origin}/${place.fullName}/pull/${pull.number}.diff`,
    issue_url: issue,
    number: pull.number,
    state: pull.state,
    locked: false,
    title: pull.title,
    user: userShape(place.origin, pull.author),
    body: pull.body === '' ? null : pull.body,
    created_at: pull.createdAt,
    updated_at: pull.updatedAt,
    closed_at: pull.closedAt ?? null,
    merged_at: pull.merged ? (pull.closedAt ?? null) : null,
    merge_commit_sha: null,
    assignee: null,
    assignees: [],
    requested_reviewers: [],
    requested_teams: [],
    labels: pull.labels.map(name => ({
      id: userId(name),
      node_id: `LA_${userId(name)}`,
      url: `${place.origin}/api/v3/repos/${place.fullName}/labels/${encodeURIComponent(name)}`,
      name,
      color: 'ededed',
      default: false,
      description: null,
    })),
    milestone: null,
    draft: pull.draft,
    commits_url: `${url}/commits`,
    comments_url: `${issue}/comments`,
    statuses_url: `${place.origin}/api/v3/repos/${place.fullName}/statuses/${pull.sha}`,
    head: refShape(place, headName.split('/')[0] ?? '', pull.branch, pull.sha, headRepository),
    base: refShape(place, place.fullName.split('/')[0] ?? '', pull.base, baseSha, repositoryShape(place)),
    author_association: pull.head === 'own' ? 'MEMBER' : 'CONTRIBUTOR',
    auto_merge: null,
    active_lock_reason: null,
    merged: pull.merged,
  }
}

function refShape(place: Place, owner: string, ref: string, sha: string, repo: Json | null): Json {
  return { label: `${owner}:${ref}`, ref, sha, user: userShape(place.origin, owner), repo }
}

/** GitHub's `short-branch`. */
export function branchShape(place: Place, name: string, sha: string): Json {
  const url = `${place.origin}/api/v3/repos/${place.fullName}/commits/${sha}`
  return { name, commit: { sha, url }, protected: false }
}

/** GitHub's `issue-comment`. */
export function commentShape(place: Place, comment: Comment): Json {
  const url = `${place.origin}/api/v3/repos/${place.fullName}/issues/comments/${comment.id}`
  return {
    url,
    html_url: `${place.origin}/${place.fullName}/pull/${comment.pullRequest}#issuecomment-${comment.id}`,
    issue_url: `${place.origin}/api/v3/repos/${place.fullName}/issues/${comment.pullRequest}`,
    id: comment.id,
    node_id: `IC_${comment.id}`,
    user: userShape(place.origin, comment.author),
    created_at: comment.createdAt,
    updated_at: comment.updatedAt,
    author_association: 'MEMBER',
    body: comment.body,
    performed_via_github_app: null,
  }
}

/** GitHub's `status`. */
export function statusShape(place: Place, status: Status): Json {
  return {
    url: `${place.origin}/api/v3/repos/${place.fullName}/statuses/${status.sha}`,
    id: userId(status.sha + status.context),
    state: status.state,
    description: status.description,
    target_url: status.targetUrl ?? null,
    context: status.context,
    created_at: status.createdAt,
    updated_at: status.createdAt,
    creator: userShape(place.origin, status.author),
  }
}
