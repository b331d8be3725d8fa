import { spawn } from 'node:child_process'
import { readFile } from 'node:fs/promises'
import { messageOf } from '../../../util/errors.ts'
import { EngineError } from '../../errors.ts'

type Environment = Readonly<Record<string, string | undefined>>

const deadline = 60_000
const maxBytes = 64 * 1024

/** What gpg and its agent need; nothing else of ours is passed on. */
const passedOn = [
  'PATH',
  'HOME',
  'USER',
  'GNUPGHOME',
  'GPG_TTY',
  'GPG_AGENT_INFO',
  'LANG',
  'TERM',
  'DISPLAY',
  'XDG_RUNTIME_DIR',
]

/**
 * Opens an armored PGP message of SOPS: with the exported private keys of `SOPS_PGP_KEY` or `SOPS_PGP_KEY_FILE`
 * (passphrase in `SOPS_PGP_PASSPHRASE`) in process, else with the gpg that `SOPS_GPG_EXEC` names or PATH has.
 * @throws EngineError when no key fits
 */
export async function openPgp(armored: string, environment: Environment, signal: AbortSignal): Promise<Uint8Array> {
  const exported = await exportedKeys(environment)
  const problems: string[] = []
  if (exported !== '') {
    try {
      return await withExported(armored, exported, environment.SOPS_PGP_PASSPHRASE)
    } catch (error) {
      problems.push(`the keys of SOPS_PGP_KEY and SOPS_PGP_KEY_FILE do not fit: ${messageOf(error)}`)
    }
  }
  if (environment.PATH === undefined) {
    problems.push('there is no PGP key in SOPS_PGP_KEY and SOPS_PGP_KEY_FILE')
    throw new EngineError(problems.join('; '))
  }
  try {
    return await withGpg(armored, environment, signal)
  } catch (error) {
    signal.throwIfAborted()
    throw new EngineError([...problems, messageOf(error)].join('; '))
  }
}

async function exportedKeys(environment: Environment): Promise<string> {
  const file = environment.SOPS_PGP_KEY_FILE
  try {
    return [environment.SOPS_PGP_KEY ?? '', file ? await readFile(file, 'utf8') : ''].join('\n').trim()
  } catch (error) {
    throw new EngineError(`SOPS_PGP_KEY_FILE cannot be read: ${messageOf(error)}`)
  }
}

async function withExported(armored: string, exported: string, passphrase: string | undefined): Promise<Uint8Array> {
  const pgp = await import('openpgp')
  const blocks = exported.match(/-----BEGIN PGP PRIVATE KEY BLOCK-----[\s\S]*?-----END PGP PRIVATE KEY BLOCK-----/g)
  if (blocks === null) throw new EngineError('expected armored PGP private keys')
  const keys = (await Promise.all(blocks.map(armoredKeys => pgp.readPrivateKeys({ armoredKeys })))).flat()
  const decryptionKeys = await Promise.all(
    keys.map(async privateKey =>
      privateKey.isDecrypted() || passphrase === undefined ? privateKey : pgp.decryptKey({ privateKey, passphrase }),
    ),
  )
  const message = await pgp.readMessage({ armoredMessage: armored })
  const { data } = await pgp.decrypt({ message, decryptionKeys, format: 'binary' })
  return data
}

async function withGpg(armored: string, environment: Environment, signal: AbortSignal): Promise<Uint8Array> {
  const program = environment.SOPS_GPG_EXEC || 'gpg'
  const env = Object.fromEntries(
    passedOn.flatMap(name => (environment[name] === undefined ? [] : [[name, environment[name]]])),
  )
  const args = ['--no-default-recipient', '--batch', '--quiet', '--decrypt']
  const limited = AbortSignal.any([signal, AbortSignal.timeout(deadline)])
  const child = spawn(program, args, { env, stdio: 'pipe', signal: limited, killSignal: 'SIGKILL' })
  return await new Promise((resolve, reject) => {
    const out: Buffer[] = []
    let complaint = ''
    child.stdout.on('data', (chunk: Buffer) => {
      if (out.reduce((sum, part) => sum + part.length, 0) < maxBytes) out.push(chunk)
    })
    child.stderr.on('data', (chunk: Buffer) => {
      if (complaint.length < maxBytes) complaint += chunk.toString('utf8')
    })
    child.on('error', error => reject(new EngineError(`${program}: ${error.message}`)))
    // gpg that ends before it has read everything is judged by its exit code.
    child.stdin.on('error', () => undefined)
    child.stdin.end(armored)
    child.on('close', code => {
      if (code === 0) resolve(Buffer.concat(out))
      else reject(new EngineError(`${program}: ${complaint.trim() || `ended with ${code}`}`))
    })
  })
}
