import nunjucks from 'nunjucks'
import type { Blocker } from '../api/index.ts'
import { codeBlock, codeSpan, cut, escapeText, link } from './escape.ts'
import { commentTemplate } from './template.ts'
import type { FeedbackView } from './view.ts'

/** Longest comment, in characters; GitHub takes 65,536. */
const maxComment = 60_000

/** Places in the waiting line beyond this are not told one by one, or every departure would rewrite every comment. */
const toldPlaces = 20

const headlines: Record<FeedbackView['state'], string> = {
  Waiting: 'Review environment is waiting',
  Pending: 'Review environment is being prepared',
  Deploying: 'Review environment is being deployed',
  Ready: 'Review environment is ready',
  Failed: 'Review environment failed',
  Deleting: 'Review environment is being removed',
  Blocked: 'Review environment cannot be removed yet',
  Gone: 'Review environment is gone',
}

const template = compile()

function compile(): nunjucks.Template {
  // Values are escaped for Markdown by the filters; HTML escaping on top would show entities inside code.
  const environment = new nunjucks.Environment(null, {
    autoescape: false,
    throwOnUndefined: true,
    trimBlocks: true,
    lstripBlocks: true,
  })
  environment.addFilter('md', (value: unknown) => escapeText(String(value)))
  environment.addFilter('code', (value: unknown) => codeSpan(String(value)))
  environment.addFilter('block', (value: unknown) => codeBlock(String(value)))
  environment.addFilter('link', (value: unknown) => link(String(value)))
  environment.addFilter('objectName', objectName)
  environment.addFilter('heldBy', heldBy)
  return new nunjucks.Template(commentTemplate, environment, 'comment', true)
}

/** The sticky comment's Markdown. The same view gives the same text. */
export function renderComment(view: FeedbackView): string {
  const texts = { headline: headlines[view.state], place: placeOf(view), after: afterOf(view) }
  const body = template.render({ view, ...texts, deployed: deployedOf(view) })
  return cut(`${body.replace(/\n{3,}/g, '\n\n').trim()}\n`, maxComment)
}

function placeOf({ position }: FeedbackView): string {
  if (position === undefined) return ''
  if (position > toldPlaces) return `More than ${toldPlaces} wait before it.`
  return position === 1 ? 'It is next.' : `It is number ${position} in line.`
}

function deployedOf({ deployment }: FeedbackView): string {
  if (deployment === undefined) return ''
  const { objects, changed, deleted, drifted } = deployment
  const parts = [`${objects} ${objects === 1 ? 'object' : 'objects'}`, `${changed} changed`]
  if (deleted > 0) parts.push(`${deleted} deleted`)
  if (drifted > 0) parts.push(`${drifted} ${drifted === 1 ? 'differs' : 'differ'} from the project by now`)
  return parts.join(', ')
}

function afterOf({ readyAfter }: FeedbackView): string {
  return readyAfter === undefined ? '' : `after ${readyAfter} s`
}

function objectName(blocker: Blocker): string {
  const place = blocker.namespace === undefined ? '' : `${blocker.namespace}/`
  return cut(`${blocker.kind} ${place}${blocker.name}`, 400)
}

function heldBy(blocker: Blocker): string {
  const finalizers = blocker.finalizers ?? []
  const held = finalizers.length > 0 ? `finalizer ${finalizers.join(', ')}` : (blocker.message ?? 'unknown')
  return cut(held, 400)
}
