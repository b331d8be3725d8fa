import type { PullRequest } from './model.ts'
import type { FakeRepository } from './repository.ts'

/** A plain web page for people who try the demo: `/`, `/owner/repo`, `/owner/repo/pull/1`. */
export function webPage(path: string, repositories: FakeRepository[]): string | undefined {
  if (path === '/') {
    const items = repositories.map(
      it => `<li><a href="/${text(it.place.fullName)}">${text(it.place.fullName)}</a></li>`,
    )
    return frame('Repositories', `<ul>${items.join('')}</ul>`)
  }
  const match = /^\/([^/]+\/[^/]+?)(?:\/pull\/([0-9]+))?$/.exec(path)
  const repository = match && repositories.find(it => it.place.fullName === match[1])
  if (!repository) return undefined
  if (match[2] === undefined) return frame(repository.place.fullName, pullList(repository))
  const pull = repository.pulls.get(Number(match[2]))
  return pull && frame(`${pull.title} #${pull.number}`, pullPage(repository, pull))
}

function pullList(repository: FakeRepository): string {
  const name = text(repository.place.fullName)
  const items = [...repository.pulls.values()].map(
    pull => `<li><a href="/${name}/pull/${pull.number}">#${pull.number} ${text(pull.title)}</a> (${state(pull)})</li>`,
  )
  return `<p><code>git clone ${text(repository.url)}</code></p><ul>${items.join('')}</ul>`
}

function pullPage(repository: FakeRepository, pull: PullRequest): string {
  const statuses = repository.statusesOf(pull.sha).map(status => {
    const link = status.targetUrl ? ` <a href="${text(status.targetUrl)}">${text(status.targetUrl)}</a>` : ''
    return `<li>${text(status.context)}: <b>${text(status.state)}</b> ${text(status.description)}${link}</li>`
  })
  const comments = repository
    .commentsOf(pull.number)
    .map(comment => `<h3>${text(comment.author)}, ${text(comment.updatedAt)}</h3><pre>${text(comment.body)}</pre>`)
  return [
    `<p>${state(pull)}, by ${text(pull.author)}: <code>${text(pull.branch)}</code> into <code>${text(pull.base)}</code>, `,
    `at <code>${text(pull.sha)}</code>; labels: ${pull.labels.map(text).join(', ') || 'none'}</p>`,
    `<ul>${statuses.join('')}</ul>${comments.join('')}`,
  ].join('')
}

function state(pull: PullRequest): string {
  return pull.merged ? 'merged' : pull.state
}

function frame(title: string, body: string): string {
  return `<!doctype html><meta charset="utf-8"><title>${text(title)}</title><h1>${text(title)}</h1>${body}\n`
}

function text(value: string): string {
  return value.replaceAll(/[&<>"']/g, letter => `&#${letter.codePointAt(0)};`)
}
