import { spawn } from 'node:child_process'
import { mkdir, open, symlink } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { GitError } from './errors.ts'
import { gitEnvironment } from './git-environment.ts'
import type { TreeEntry } from './tree.ts'

/** Bounds of a checkout. */
export interface ExportLimits {
  files: number
  /** Sum of all files' sizes. */
  bytes: number
}

/**
 * Writes the files into an empty folder: blobs as they are, without filters, hooks or attributes. Links are written
 * last and only if they stay inside, so that nothing is ever written through one.
 * @throws GitError `tooLarge`, `invalid`
 */
export async function exportTree(
  gitDir: string,
  entries: readonly TreeEntry[],
  folder: string,
  limits: ExportLimits,
  signal?: AbortSignal,
): Promise<void> {
  if (entries.length > limits.files) throw new GitError('tooLarge', `the commit has more than ${limits.files} files`)
  const bytes = entries.reduce((sum, { size }) => sum + size, 0)
  if (bytes > limits.bytes) throw new GitError('tooLarge', `the commit has more than ${limits.bytes} bytes`)
  for (const directory of new Set(entries.map(({ path }) => dirname(path)))) {
    await mkdir(join(folder, directory), { recursive: true })
  }
  const links: { path: string; target: string }[] = []
  const blobs = entries.filter(({ mode }) => mode !== 'submodule')
  await readBlobs(gitDir, blobs, signal, async ({ mode, path }, content) => {
    if (mode === 'symlink') links.push({ path, target: content.toString('utf8') })
    else await writeNew(join(folder, path), content, mode === 'executable' ? 0o755 : 0o644)
  })
  for (const { mode, path } of entries) if (mode === 'submodule') await mkdir(join(folder, path), { recursive: true })
  for (const { path, target } of links) {
    checkLink(path, target)
    await symlink(target, join(folder, path))
  }
}

/**
 * A link may climb only at its beginning, and not above the root. Folders of a Git tree are real, so its climb ends
 * inside; what follows goes down, at most through links for which the same holds.
 * @throws GitError `invalid`
 */
function checkLink(path: string, target: string): void {
  const climb = /^(?:\.\.(?:\/|$)|\.\/)*/.exec(target)?.[0] ?? ''
  const rest = target.slice(climb.length).split('/')
  const height = climb.split('/').filter(part => part === '..').length
  const depth = path.split('/').length - 1
  if (target === '' || target.startsWith('/') || height > depth || rest.includes('..') || /\p{Cc}/u.test(target)) {
    throw new GitError('invalid', `the link ${path} leads out of the repository`)
  }
}

async function writeNew(path: string, content: Buffer, mode: number): Promise<void> {
  // `wx`: names that a file system takes for the same do not overwrite each other.
  const file = await open(path, 'wx', mode)
  try {
    await file.writeFile(content)
  } finally {
    await file.close()
  }
}

/** Reads blobs with one `git cat-file --batch`, in order, one in memory at a time. */
async function readBlobs(
  gitDir: string,
  entries: readonly TreeEntry[],
  signal: AbortSignal | undefined,
  take: (entry: TreeEntry, content: Buffer) => Promise<void>,
): Promise<void> {
  await using environment = await gitEnvironment()
  const args = [`--git-dir=${gitDir}`, 'cat-file', '--batch']
  const child = spawn('git', args, { env: environment.variables, stdio: ['pipe', 'pipe', 'ignore'], signal })
  const failed = new Promise<never>((_, reject) => child.on('error', reject))
  failed.catch(() => undefined)
  // EPIPE only says that the process is gone; the missing output tells it better.
  child.stdin.on('error', () => undefined)
  try {
    child.stdin.end(entries.map(({ id }) => `${id}\n`).join(''))
    await Promise.race([takeAll(child.stdout, entries, take), failed])
  } finally {
    child.kill('SIGKILL')
  }
}

async function takeAll(
  output: AsyncIterable<Buffer>,
  entries: readonly TreeEntry[],
  take: (entry: TreeEntry, content: Buffer) => Promise<void>,
): Promise<void> {
  let at = 0
  let pending: Buffer[] = []
  let size = 0
  for await (const chunk of output) {
    pending.push(chunk)
    size += chunk.length
    for (;;) {
      const entry = entries[at]
      if (entry === undefined) return
      const header = `${entry.id} blob ${entry.size}\n`
      const whole = header.length + entry.size + 1
      if (size < whole) break
      const buffer = pending.length === 1 && pending[0] ? pending[0] : Buffer.concat(pending)
      if (buffer.toString('latin1', 0, header.length) !== header)
        throw new GitError('malformed', `${entry.path} cannot be read`)
      await take(entry, buffer.subarray(header.length, whole - 1))
      pending = [buffer.subarray(whole)]
      size -= whole
      at++
    }
  }
  if (at < entries.length) throw new GitError('unavailable', `git cat-file ended before ${entries[at]?.path}`)
}
