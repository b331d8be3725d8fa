import { appEvents, appPermissions } from './app-needs.ts'

/** What a manifest is made for. */
export interface ManifestOptions {
  /** Name of the App, unique at GitHub. */
  name: string
  /** Public address of the server. */
  url: string
  /** Whether other accounts than its owner may install it. */
  public: boolean
}

/**
 * A manifest from which GitHub registers an App with exactly the permissions and events that Offshoot uses.
 * Source: GitHub, "Registering a GitHub App from a manifest".
 */
export function appManifest({ name, url, public: isPublic }: ManifestOptions): Record<string, unknown> {
  const base = url.replace(/\/+$/, '')
  return {
    name,
    url: base,
    description: 'An environment of its own for every pull request',
    hook_attributes: { url: `${base}/webhooks/github`, active: true },
    redirect_url: `${base}/`,
    public: isPublic,
    default_permissions: { ...appPermissions },
    default_events: [...appEvents],
  }
}
