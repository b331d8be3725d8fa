import { readFile } from 'node:fs/promises'
import { type InstallationApp, parseAppGrant } from '../controller/app-grants.ts'
import type { ForgeDependencies } from '../forge/forge.ts'
import { appReport, readAppKey } from '../forge/index.ts'
import type { AppCredential } from '../util/credential.ts'
import { InvalidInputError, messageOf, type Problem } from '../util/errors.ts'
import type { Logger } from '../util/log.ts'
import { flagOf, type ServeSettings } from './serve-settings.ts'

/**
 * The installation's own GitHub App, if the settings name one.
 * @throws InvalidInputError with every mistake at once: a key that cannot be read, flags that belong together
 */
export async function installationApp(settings: ServeSettings): Promise<InstallationApp | undefined> {
  const { githubAppId: id, githubAppPrivateKeyFile: file, githubAppAllow: allow, githubAppApiUrl: apiUrl } = settings
  if (id === undefined && file === undefined && allow.length === 0) return undefined
  const problems: Problem[] = []
  const expect = (setting: keyof ServeSettings, message: string) => problems.push({ path: flagOf(setting), message })
  if (id === undefined) expect('githubAppId', 'expected the ID of the GitHub App')
  if (file === undefined) expect('githubAppPrivateKeyFile', 'expected the file with the App’s private key')
  if (allow.length === 0) {
    const example = 'such as team-a=acme/*, or *=*/* where everybody who writes projects may read every repository'
    expect('githubAppAllow', `expected who may use the App for which repositories, ${example}`)
  }
  const privateKey = file === undefined ? undefined : await readKeyFile(file, problems)
  if (problems.length > 0 || id === undefined || privateKey === undefined) throw new InvalidInputError(problems)
  return { app: { id, privateKey }, apiUrl, grants: allow.map(parseAppGrant) }
}

/** An App's key from a file; a mistake is noted. */
async function readKeyFile(file: string, problems: Problem[]): Promise<string | undefined> {
  const path = flagOf('githubAppPrivateKeyFile')
  let text: string
  try {
    text = await readFile(file, 'utf8')
  } catch {
    problems.push({ path, message: `cannot read ${file}` })
    return undefined
  }
  try {
    readAppKey(text)
    return text
  } catch (error) {
    problems.push({ path, message: messageOf(error), file })
    return undefined
  }
}

/** An App from flags of a command. @throws InvalidInputError */
export async function appFromFlags(id: string, file: string): Promise<AppCredential> {
  const problems: Problem[] = []
  const privateKey = await readKeyFile(file, problems)
  if (privateKey === undefined) throw new InvalidInputError(problems)
  return { id, privateKey }
}

/**
 * Asks GitHub once whether it knows the App and what it lacks, and says so in the log. Offshoot serves all the same:
 * what works goes on working, and each project that is affected says so in its status.
 */
export async function logAppReport(
  { app, apiUrl }: InstallationApp,
  dependencies: Pick<ForgeDependencies, 'clock' | 'logger' | 'observe'>,
  log: Logger,
): Promise<void> {
  try {
    const { name, settingsUrl, missing } = await appReport(apiUrl, app, dependencies)
    if (missing.length === 0) log.info({ app: name }, 'the GitHub App has every permission and event it needs')
    else log.error({ app: name, missing, settingsUrl }, 'the GitHub App lacks permissions or events')
  } catch (error) {
    log.error({ app: app.id, error: messageOf(error) }, 'the GitHub App could not be asked what it may do')
  }
}
