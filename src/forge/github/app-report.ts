import type { AppCredential } from '../../util/credential.ts'
import type { ForgeDependencies } from '../forge.ts'
import { checkApiUrl } from './api-url.ts'
import { GitHubApp } from './app.ts'
import { missingEvents, missingPermissions } from './app-needs.ts'

/** What an App is, and what it lacks for Offshoot. */
export interface AppReport {
  name: string
  /** Page of the App. */
  settingsUrl: string
  permissions: Readonly<Record<string, string>>
  events: readonly string[]
  /** Permissions and events, for people; empty when all is well. */
  missing: string[]
}

/** Asks GitHub about an App. @throws ForgeError; InvalidInputError for a bad API URL */
export async function appReport(
  apiUrl: string,
  app: AppCredential,
  dependencies: Pick<ForgeDependencies, 'clock' | 'logger' | 'observe'>,
): Promise<AppReport> {
  const asked = new GitHubApp(checkApiUrl(apiUrl, true), app, dependencies)
  const { name, html_url: settingsUrl, permissions, events } = await asked.about()
  const missing = [
    ...missingPermissions(permissions).map(text => `permission ${text}`),
    ...missingEvents(events).map(event => `event ${event}`),
  ]
  return { name, settingsUrl, permissions, events, missing }
}
