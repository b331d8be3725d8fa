import type { z } from 'zod'
import { directAccess } from '../remote/direct.ts'
import type { RemoteAccess } from '../remote.ts'
import type { Loaded, VarsContext } from '../source.ts'
import { valueOfText } from '../text.ts'

/** How a source asks the network: through the host's own access, else from this process. */
export function remoteOf(context: VarsContext): RemoteAccess {
  return context.host.remote ?? directAccess(context.host)
}

/** Objects are named by `name` or found by `labels`, never both. */
export function nameOrLabels(
  spec: { name?: string | undefined; labels?: Record<string, string> | undefined },
  context: z.RefinementCtx,
): void {
  const named = spec.name !== undefined && spec.name !== ''
  const labelled = Object.keys(spec.labels ?? {}).length > 0
  if (!named && !labelled) context.addIssue({ code: 'custom', message: 'either name or labels must be set' })
  if (named && labelled) context.addIssue({ code: 'custom', message: 'only one of name or labels can be set' })
}

/** `a=b,c=d` */
export function shownLabels(labels: Readonly<Record<string, string>> | undefined): string {
  return Object.entries(labels ?? {})
    .map(([key, value]) => `${key}=${value}`)
    .join(',')
}

/** The value of a text from a secret store: rendered, then read as YAML. @throws EngineError, JinjaError */
export function loadedFromText(text: string, context: VarsContext, origin: string): Loaded {
  const rendered = context.render(text)
  // With multidoc kluctl reads the text as it was before it was rendered.
  return { value: valueOfText(context.multidoc ? text : rendered, context.multidoc, origin) }
}
