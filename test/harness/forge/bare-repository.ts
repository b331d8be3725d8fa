import { execFile, spawn } from 'node:child_process'
import { appendFile, mkdir } from 'node:fs/promises'
import { devNull } from 'node:os'
import { join } from 'node:path'

/** Files of a commit: path to contents; null deletes. */
export type Files = Record<string, string | null>

/** Environment of every git process of the stand-in: nothing of the machine's own configuration. */
export const gitEnvironment: NodeJS.ProcessEnv = {
  PATH: process.env.PATH,
  GIT_CONFIG_NOSYSTEM: '1',
  GIT_CONFIG_GLOBAL: devNull,
  GIT_TERMINAL_PROMPT: '0',
  LC_ALL: 'C',
}

/** One commit to make: on which ref, on top of what, with which files. */
export interface CommitRequest {
  /** Refs that point to the new commit afterwards. */
  refs: string[]
  /** Commit or ref to build on; absent: no parent. */
  from?: string
  message: string
  files: Files
}

/** A real bare Git repository in a folder, written with `git fast-import`: one process for any number of commits. */
export class BareRepository {
  readonly folder: string

  constructor(folder: string) {
    this.folder = folder
  }

  async create(defaultBranch: string): Promise<void> {
    await mkdir(this.folder, { recursive: true })
    await this.git(['init', '--quiet', '--bare', `--initial-branch=${defaultBranch}`, this.folder])
    const config = '[http]\n\treceivepack = true\n[uploadpack]\n\tallowAnySHA1InWant = true\n[gc]\n\tauto = 0\n'
    await appendFile(join(this.folder, 'config'), config)
  }

  /** Runs git in the repository and gives its standard output as UTF-8. */
  git(args: string[]): Promise<string> {
    return new Promise((resolve, reject) => {
      execFile(
        'git',
        ['-C', this.folder, ...args],
        { env: gitEnvironment, maxBuffer: 64 * 1024 * 1024 },
        (error, stdout, stderr) =>
          error ? reject(new Error(`git ${args[0]}: ${stderr}`, { cause: error })) : resolve(stdout),
      )
    })
  }

  /** Makes the commits in order and gives their ids; a ref that exists is moved, even backwards. */
  commit(requests: CommitRequest[], seconds: number): Promise<string[]> {
    const script = requests.map((request, index) => commitScript(request, index + 1, seconds)).join('')
    return new Promise((resolve, reject) => {
      const child = spawn('git', ['-C', this.folder, 'fast-import', '--quiet', '--force', '--done'], {
        env: gitEnvironment,
        stdio: ['pipe', 'pipe', 'pipe'],
      })
      let output = ''
      let errors = ''
      child.stdout.setEncoding('utf8').on('data', chunk => (output += chunk))
      child.stderr.setEncoding('utf8').on('data', chunk => (errors += chunk))
      child.on('error', reject)
      child.on('close', code => {
        const ids = output.trim().split('\n').filter(Boolean)
        if (code === 0 && ids.length === requests.length) resolve(ids)
        else reject(new Error(`git fast-import ended with ${code}: ${errors}`))
      })
      child.stdin.on('error', reject)
      child.stdin.end(`${script}done\n`)
    })
  }

  async updateRef(ref: string, sha: string): Promise<void> {
    await this.git(['update-ref', ref, sha])
  }

  async deleteRef(ref: string): Promise<void> {
    await this.git(['update-ref', '-d', ref])
  }

  /** All branches: name to commit. */
  async branches(): Promise<Map<string, string>> {
    const output = await this.git(['for-each-ref', '--format=%(objectname) %(refname)', 'refs/heads/'])
    const lines = output.split('\n').filter(Boolean)
    return new Map(
      lines.map(line => [line.slice(line.indexOf(' ') + 1 + 'refs/heads/'.length), line.slice(0, line.indexOf(' '))]),
    )
  }

  async isAncestor(ancestor: string, descendant: string): Promise<boolean> {
    return await this.git(['merge-base', '--is-ancestor', ancestor, descendant]).then(
      () => true,
      () => false,
    )
  }

  /** Files that differ between the merge base and the head, as GitHub lists them. */
  async changedFiles(
    base: string,
    head: string,
  ): Promise<{ filename: string; status: string; previous_filename?: string }[]> {
    const output = await this.git(['diff', '--name-status', '-z', '-M', `${base}...${head}`])
    const fields = output.split('\0')
    const files: { filename: string; status: string; previous_filename?: string }[] = []
    for (let at = 0; at + 1 < fields.length; ) {
      const status = fields[at++]!
      const path = fields[at++]!
      if (status.startsWith('R')) files.push({ filename: fields[at++]!, status: 'renamed', previous_filename: path })
      else files.push({ filename: path, status: { A: 'added', D: 'removed' }[status] ?? 'modified' })
    }
    return files
  }

  /** A file at a commit: its type (`blob`, `tree`, or undefined) and its bytes. */
  async object(sha: string, path: string): Promise<{ type: string; content: Buffer } | undefined> {
    const name = `${sha}:${path}`
    const type = await this.git(['cat-file', '-t', name]).then(
      output => output.trim(),
      () => undefined,
    )
    if (type === undefined) return undefined
    const content = await new Promise<Buffer>((resolve, reject) => {
      execFile(
        'git',
        ['-C', this.folder, 'cat-file', '-p', name],
        { env: gitEnvironment, encoding: 'buffer', maxBuffer: 64 * 1024 * 1024 },
        (error, stdout) => (error ? reject(error) : resolve(stdout)),
      )
    })
    return { type, content }
  }

  async hasCommit(sha: string): Promise<boolean> {
    return await this.git(['cat-file', '-e', `${sha}^{commit}`]).then(
      () => true,
      () => false,
    )
  }
}

function commitScript(request: CommitRequest, mark: number, seconds: number): string {
  const data = (text: string) => `data ${Buffer.byteLength(text)}\n${text}\n`
  const [first, ...others] = request.refs
  const lines = [
    `commit ${first}\nmark :${mark}\n`,
    `committer Story <story@example.com> ${seconds} +0000\n`,
    data(request.message),
    request.from === undefined ? '' : `from ${request.from}\n`,
  ]
  for (const [path, content] of Object.entries(request.files)) {
    const quoted = `"${path.replaceAll('\\', '\\\\').replaceAll('"', '\\"').replaceAll('\n', '\\n')}"`
    lines.push(content === null ? `D ${quoted}\n` : `M 100644 inline ${quoted}\n${data(content)}`)
  }
  for (const ref of others) lines.push(`\nreset ${ref}\nfrom :${mark}\n`)
  return `${lines.join('')}\nget-mark :${mark}\n`
}
