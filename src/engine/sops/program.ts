import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { delimiter, extname, join } from 'node:path'
import { runTool, ToolError } from '../binaries/index.ts'
import { EngineError } from '../errors.ts'
import { exists } from '../helm/config.ts'

type Environment = Readonly<Record<string, string | undefined>>

/** Formats that SOPS tells apart, by the ending of the file's name. */
const formats: Readonly<Record<string, string>> = {
  '.yaml': 'yaml',
  '.yml': 'yaml',
  '.json': 'json',
  '.env': 'dotenv',
  '.ini': 'ini',
}

/** The `sops` program of `PATH`, if there is one. */
export async function findSops(environment: Environment): Promise<string | undefined> {
  for (const folder of (environment.PATH ?? '').split(delimiter)) {
    const file = join(folder, 'sops')
    if (folder !== '' && (await exists(file))) return file
  }
  return undefined
}

/**
 * Lets the user's own `sops` decrypt a file: for keys that only it can use, such as SSH keys and age plugins. It sees
 * the user's environment; what it decrypts stays in memory. @throws EngineError in its words
 */
export async function decryptWith(
  program: string,
  content: Uint8Array,
  path: string,
  { environment, checkMac }: { environment: Environment; checkMac: boolean },
  signal: AbortSignal,
): Promise<Uint8Array> {
  const format = formats[extname(path)] ?? 'binary'
  const folder = await mkdtemp(join(tmpdir(), 'offshoot-sops-'))
  try {
    const file = join(folder, `file${extname(path)}`)
    await writeFile(file, content, { mode: 0o600 })
    const types = [`--input-type=${format}`, `--output-type=${format}`]
    const args = ['--decrypt', ...(checkMac ? [] : ['--ignore-mac']), ...types, file]
    const env = wholeEnvironment(environment)
    const { stdout } = await runTool(program, args, { env, signal, deadline: 60_000 })
    return Buffer.from(stdout)
  } catch (error) {
    throw error instanceof ToolError ? new EngineError(`sops: ${error.message.replaceAll(folder, '')}`) : error
  } finally {
    await rm(folder, { recursive: true, force: true })
  }
}

/** Where keys are said to be is spread over variables of many programs: agents, clouds, plugins. */
function wholeEnvironment(environment: Environment): Record<string, string> {
  return Object.fromEntries(Object.entries(environment).filter((entry): entry is [string, string] => !!entry[1]))
}
