import type { BareRepository, CommitRequest, Files } from './bare-repository.ts'
import type { Deliveries, Hook } from './deliveries.ts'
import { Events } from './events.ts'
import { type Comment, newPullRequest, type OpenPullRequest, type PullRequest, type Status } from './model.ts'
import type { Place } from './shapes.ts'

/** A repository of the stand-in: a real one in a folder, with pull requests, told as a story. */
export class FakeRepository {
  readonly place: Place
  readonly git: BareRepository
  readonly hooks: Hook[] = []
  readonly pulls = new Map<number, PullRequest>()
  readonly comments = new Map<number, Comment>()
  readonly statuses: Status[] = []
  /** Branch to commit, as last seen. */
  branches = new Map<string, string>()
  readonly events: Events
  readonly #now: () => number
  #next = 1
  #nextComment = 1000
  #work: Promise<unknown> = Promise.resolve()

  constructor(place: Place, git: BareRepository, deliveries: Deliveries, now: () => number) {
    this.place = place
    this.git = git
    this.events = new Events(place, this.hooks, deliveries)
    this.#now = now
  }

  /** Clone URL over HTTP: real clones and pushes work. */
  get url(): string {
    return `${this.place.origin}/${this.place.fullName}.git`
  }

  /** Sends this repository's events there. */
  hook(url: string, secret: string): void {
    this.hooks.push({ url, secret, id: this.place.id * 100 + this.hooks.length })
  }

  /** Creates the repository's first commit on its default branch. */
  async start(files: Files): Promise<void> {
    await this.git.create(this.place.defaultBranch)
    await this.#commit([{ refs: [`refs/heads/${this.place.defaultBranch}`], message: 'First commit', files }])
    this.branches = await this.git.branches()
  }

  /** Opens a pull request with one commit of its own. */
  async openPullRequest(options: OpenPullRequest = {}): Promise<PullRequest> {
    return (await this.openPullRequests([options]))[0]!
  }

  /** Opens many, with one git process. */
  openPullRequests(list: OpenPullRequest[]): Promise<PullRequest[]> {
    return this.#serially(async () => {
      const pulls = list.map(options => this.#newPull(options))
      const requests = pulls.map((pull, index): CommitRequest => {
        const own = pull.head === 'own' ? [`refs/heads/${pull.branch}`] : []
        const from = (pull.head === 'own' ? this.branches.get(pull.branch) : undefined) ?? this.#tip(pull.base)
        const files = list[index]?.files ?? { [`change-${pull.number}.txt`]: `${pull.title}\n` }
        return { refs: [...own, `refs/pull/${pull.number}/head`], from, message: pull.title, files }
      })
      const shas = await this.#commit(requests)
      for (const [index, pull] of pulls.entries()) {
        pull.sha = shas[index]!
        this.pulls.set(pull.number, pull)
        if (pull.head === 'own') this.#moved(pull.branch, pull.sha)
        this.#pullEvent('opened', pull)
      }
      return pulls
    })
  }

  /** Opens a pull request for a branch that exists, as `POST /pulls` does. */
  openForBranch(options: OpenPullRequest & { branch: string }): Promise<PullRequest> {
    return this.#serially(async () => {
      const pull = this.#newPull(options)
      pull.sha = this.#tip(pull.branch)
      await this.git.updateRef(`refs/pull/${pull.number}/head`, pull.sha)
      this.pulls.set(pull.number, pull)
      this.#pullEvent('opened', pull)
      return pull
    })
  }

  /** Commits to a branch (made from the default branch if new); pull requests of it follow. Gives the commit. */
  push(branch: string, files: Files, options: { force?: boolean } = {}): Promise<string> {
    return this.#serially(async () => {
      const tip = options.force ? undefined : this.branches.get(branch)
      const from = tip ?? this.#tip(this.place.defaultBranch)
      const [sha] = await this.#commit([{ refs: [`refs/heads/${branch}`], from, message: `Push to ${branch}`, files }])
      await this.#branchMoved(branch, sha!)
      return sha!
    })
  }

  /** Replaces the branch's commits by one on top of the default branch. */
  forcePush(branch: string, files: Files): Promise<string> {
    return this.push(branch, files, { force: true })
  }

  /** Commits to the head of a pull request, wherever it is. */
  pushTo(number: number, files: Files): Promise<string> {
    const pull = this.pull(number)
    if (pull.head === 'own') return this.push(pull.branch, files)
    return this.#serially(async () => {
      const ref = `refs/pull/${number}/head`
      const [sha] = await this.#commit([{ refs: [ref], from: pull.sha, message: `Push to #${number}`, files }])
      this.#synchronize(pull, sha!)
      return sha!
    })
  }

  /** Deletes a branch; pull requests of it are closed, as GitHub does. */
  deleteBranch(branch: string): Promise<void> {
    return this.#serially(async () => {
      await this.git.deleteRef(`refs/heads/${branch}`)
      this.#branchDeleted(branch)
    })
  }

  async close(number: number): Promise<void> {
    this.#end(this.pull(number), false)
  }

  /** Merges: the base branch moves to a commit with the head's files. */
  merge(number: number): Promise<void> {
    return this.#serially(async () => {
      const pull = this.pull(number)
      await this.git.updateRef(`refs/heads/${pull.base}`, await this.#mergeCommit(pull))
      this.#end(pull, true)
      await this.#afterPush()
    })
  }

  async reopen(number: number): Promise<void> {
    const pull = this.pull(number)
    pull.state = 'open'
    delete pull.closedAt
    if (pull.head === 'own') pull.sha = this.branches.get(pull.branch) ?? pull.sha
    this.#pullEvent('reopened', pull)
  }

  async label(number: number, ...names: string[]): Promise<void> {
    const pull = this.pull(number)
    for (const name of names.filter(label => !pull.labels.includes(label))) {
      pull.labels.push(name)
      this.#pullEvent('labeled', pull, { label: { name } })
    }
  }

  async unlabel(number: number, name: string): Promise<void> {
    const pull = this.pull(number)
    pull.labels = pull.labels.filter(label => label !== name)
    this.#pullEvent('unlabeled', pull, { label: { name } })
  }

  /** Changes the base branch. */
  async retarget(number: number, base: string): Promise<void> {
    this.#edit(number, { base })
  }

  async retitle(number: number, title: string): Promise<void> {
    this.#edit(number, { title })
  }

  async draft(number: number, draft = true): Promise<void> {
    this.pull(number).draft = draft
    this.#pullEvent(draft ? 'converted_to_draft' : 'ready_for_review', this.pull(number))
  }

  /** Takes a fork's repository away (`head.repo` becomes null) without an event, as GitHub does. */
  async deleteFork(number: number): Promise<void> {
    const pull = this.pull(number)
    pull.head = 'gone'
    this.#touch(pull)
  }

  /** Someone comments. */
  comment(number: number, author: string, body: string): Comment {
    const now = this.timestamp()
    const id = this.#nextComment++
    const comment: Comment = { id, pullRequest: number, author, body, createdAt: now, updatedAt: now, history: [] }
    this.comments.set(id, comment)
    this.events.comment('created', comment)
    return comment
  }

  commentsOf(number: number): Comment[] {
    return [...this.comments.values()].filter(comment => comment.pullRequest === number)
  }

  /** The newest status of each context of a commit. */
  statusesOf(sha: string): Status[] {
    return [
      ...new Map(this.statuses.filter(status => status.sha === sha).map(status => [status.context, status])).values(),
    ]
  }

  /** A pull request by number. @throws Error if there is none. */
  pull(number: number): PullRequest {
    const pull = this.pulls.get(number)
    if (!pull) throw new Error(`no pull request ${number}`)
    return pull
  }

  /** Takes in what a real push over HTTP did to the branches. */
  sync(): Promise<void> {
    return this.#serially(() => this.#afterPush())
  }

  timestamp(): string {
    return `${new Date(this.#now()).toISOString().slice(0, 19)}Z`
  }

  async #afterPush(): Promise<void> {
    const branches = await this.git.branches()
    for (const [branch, sha] of branches) {
      if (this.branches.get(branch) !== sha) await this.#branchMoved(branch, sha)
    }
    for (const branch of this.branches.keys()) if (!branches.has(branch)) this.#branchDeleted(branch)
  }

  #newPull(options: OpenPullRequest): PullRequest {
    return newPullRequest(this.#next++, options, this.place.defaultBranch, this.timestamp())
  }

  async #mergeCommit(pull: PullRequest): Promise<string> {
    const tree = (await this.git.git(['rev-parse', `${pull.sha}^{tree}`])).trim()
    const identity = ['-c', 'user.name=Story', '-c', 'user.email=story@example.com']
    const parents = ['-p', this.#tip(pull.base), '-p', pull.sha]
    return (await this.git.git([...identity, 'commit-tree', tree, ...parents, '-m', `Merge #${pull.number}`])).trim()
  }

  async #branchMoved(branch: string, sha: string): Promise<void> {
    this.#moved(branch, sha)
    const open = [...this.pulls.values()].filter(pull => pull.state === 'open')
    for (const pull of open) {
      if (pull.head === 'own' && pull.branch === branch && pull.sha !== sha) {
        await this.git.updateRef(`refs/pull/${pull.number}/head`, sha)
        this.#synchronize(pull, sha)
      } else if (pull.base === branch && (await this.git.isAncestor(pull.sha, sha))) this.#end(pull, true)
    }
  }

  #moved(branch: string, sha: string): void {
    const before = this.branches.get(branch)
    this.branches.set(branch, sha)
    if (before !== sha) this.events.branch(branch, before, sha)
  }

  #branchDeleted(branch: string): void {
    this.events.branch(branch, this.branches.get(branch), undefined)
    this.branches.delete(branch)
    for (const pull of this.pulls.values()) {
      if (pull.state === 'open' && pull.head === 'own' && pull.branch === branch) this.#end(pull, false)
    }
  }

  #synchronize(pull: PullRequest, sha: string): void {
    const before = pull.sha
    pull.sha = sha
    this.#pullEvent('synchronize', pull, { before, after: sha })
  }

  #end(pull: PullRequest, merged: boolean): void {
    pull.state = 'closed'
    pull.merged = merged
    pull.closedAt = this.timestamp()
    this.#pullEvent('closed', pull)
  }

  #edit(number: number, changes: Partial<Pick<PullRequest, 'base' | 'title'>>): void {
    const pull = Object.assign(this.pull(number), changes)
    this.#pullEvent('edited', pull, { changes })
  }

  #touch(pull: PullRequest): void {
    pull.updatedAt = this.timestamp()
  }

  #pullEvent(action: string, pull: PullRequest, more: Record<string, unknown> = {}): void {
    this.#touch(pull)
    this.events.pullRequest(action, pull, this.branches.get(pull.base), more)
  }

  #tip(branch: string): string {
    const sha = this.branches.get(branch)
    if (sha === undefined) throw new Error(`no branch ${branch}`)
    return sha
  }

  #commit(requests: CommitRequest[]): Promise<string[]> {
    return this.git.commit(requests, Math.floor(this.#now() / 1000))
  }

  #serially<T>(work: () => Promise<T>): Promise<T> {
    const done = this.#work.then(work)
    this.#work = done.catch(() => undefined)
    return done
  }
}
