import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { codeBlock, codeSpan, escapeText, link } from '../../src/feedback/escape.ts'
import { renderComment, renderStatus } from '../../src/feedback/index.ts'
import { failing, sha, viewWith } from './builders.ts'

const ready = (status: 'True' | 'False', reason: string, message: string) => ({
  type: 'Ready',
  status,
  reason,
  message,
  lastTransitionTime: '2026-01-01T00:00:00Z',
})

describe('the comment', () => {
  test('says where a ready environment is, at which commit, and how long it took', () => {
    const comment = renderComment(
      viewWith({
        state: 'Ready',
        url: 'https://shop-42.example.com',
        deployedRevision: sha,
        times: { requested: '2026-01-01T10:00:00Z', ready: '2026-01-01T10:00:07Z' },
      }),
    )
    expect(comment).toMatch(
      /^<!-- offshoot environment offshoot\/shop\/shop-pr-42 -->\n### Review environment is ready\n/,
    )
    expect(comment).toContain('**Address:** <https://shop-42.example.com/>')
    expect(comment).toContain('| Commit | `aaaaaaaaaaaa` |')
    expect(comment).toContain('after 7 s')
    expect(comment).not.toContain('Running')
  })

  test('calls a new commit ready only when it is deployed, and names the one that runs', () => {
    const view = viewWith({ state: 'Ready', deployedRevision: 'b'.repeat(40) })
    const comment = renderComment(view)
    expect(comment).toContain('### Review environment is being deployed')
    expect(comment).toContain('| Commit | `aaaaaaaaaaaa` |')
    expect(comment).toContain('| Running | `bbbbbbbbbbbb` |')
    expect(renderStatus(view).state).toBe('pending')
  })

  test('tells the place in the waiting line, up to twenty', () => {
    const waiting = (position: number) =>
      renderComment(viewWith({ state: 'Waiting', admission: { admitted: false, position, ahead: 5 } }))
    expect(waiting(1)).toContain('(5 hold its places). It is next')
    expect(waiting(3)).toContain('It is number 3 in line')
    expect(waiting(21)).toBe(waiting(99))
  })

  test('names what blocks a removal, and how much more there is', () => {
    const blocker = { apiVersion: 'v1', kind: 'ConfigMap', namespace: 'shop-42', name: 'held', finalizers: ['acme/x'] }
    const comment = renderComment(viewWith({ state: 'Blocked', blockers: [blocker], blockerCount: 3 }))
    expect(comment).toContain('Its removal waits for 3 objects')
    expect(comment).toContain('| `ConfigMap shop-42/held` | `finalizer acme/x` |')
    expect(comment).toContain('and 2 more')
  })

  const deployed = { digest: 'd', revision: sha, result: 'succeeded', finished: '2026-01-01T00:00:00Z' } as const
  const counts = { objects: 12, changed: 3, deleted: 0 }

  test('tells what the engine deployed, what differs since, and its warnings', () => {
    const plain = renderComment(viewWith({ state: 'Ready', backend: 'engine', engine: { ...deployed, ...counts } }))
    expect(plain).toContain('| Deployed | 12 objects\\, 3 changed |')
    expect(plain).not.toContain('Warnings')
    const engine = { ...deployed, ...counts, deleted: 1, drifted: 2, warnings: ['ConfigMap/a: ``` old', 'b'] }
    const comment = renderComment(viewWith({ state: 'Ready', backend: 'engine', engine }))
    expect(comment).toContain('| Deployed | 12 objects\\, 3 changed\\, 1 deleted\\, 2 differ from the project by now |')
    expect(comment).toContain('**Warnings**\n\n````text\nConfigMap/a: ``` old\nb\n````\n')
    expect(renderComment(viewWith({ state: 'Failed', backend: 'engine', engine }))).not.toContain('Deployed')
  })

  test('tells who deployed something else by hand', () => {
    const conditions = [ready('True', 'DeployedByHand', 'deployed by hand (alice, 2026-01-01T00:00:00Z)')]
    const engine = { ...deployed, ...counts, byHand: true }
    const comment = renderComment(viewWith({ state: 'Ready', backend: 'engine', engine, conditions }))
    expect(comment).toContain('deployed by hand (alice, 2026-01-01T00:00:00Z)')
    expect(comment).not.toContain('12 objects')
  })

  test('tells what a deployment does that takes long, and nothing of one that does not', () => {
    const during = (reason: string) => {
      const conditions = [ready('False', reason, 'waits until 1 of 2 objects are ready')]
      return renderComment(viewWith({ state: 'Deploying', backend: 'engine', conditions }))
    }
    expect(during('Progressing')).toContain('waits until 1 of 2 objects are ready')
    expect(during('Deploying')).not.toContain('waits until')
  })

  test('of a gone environment has no address, and the tables stay tables', () => {
    const comment = renderComment(viewWith({ state: 'Ready', url: 'https://x.example.com' }, true))
    expect(comment).toContain('Review environment is gone')
    expect(comment).not.toContain('x.example.com')
    expect(comment).toMatch(/\n\n\| \| \|\n\|---\|---\|\n\| Environment \| `shop-pr-42` \|\n/)
  })

  test('renders nothing twice: template marks in a message stay text', () => {
    const attack = '{{ 7 * 7 }} {% raw %} {# x #} {{ range.constructor("return process")() }}'
    expect(renderComment(viewWith(failing(attack)))).toContain(attack)
  })

  test('a message cannot leave its block', () => {
    const comment = renderComment(viewWith(failing('a\n```\n@everyone <img src=x onerror=alert(1)>\n````\nb')))
    expect(comment).toContain('\n`````text\na\n```\n@everyone')
    expect(comment).toContain('\nb\n`````\n')
  })

  test('stays below what the forge takes', () => {
    const blockers = Array.from({ length: 20 }, (_, index) => ({
      apiVersion: 'v1',
      kind: 'ConfigMap',
      name: `${index}${'x'.repeat(252)}`,
      finalizers: Array.from({ length: 20 }, () => 'y'.repeat(316)),
      message: 'z'.repeat(512),
    }))
    const status = { ...failing('`'.repeat(100_000)), blockers, blockerCount: 900 }
    expect(renderComment(viewWith(status)).length).toBeLessThanOrEqual(60_000)
  })

  test('hides secrets: known ones, and what looks like one', () => {
    const message =
      'clone https://bot:hunter22@git.example.com failed, ghp_abcdefghijklmnopqrstuvwxyz012345, s3cr3t-v4lue'
    const comment = renderComment(viewWith(failing(message), false, ['s3cr3t-v4lue']))
    for (const secret of ['hunter22', 'ghp_abc', 's3cr3t']) expect(comment).not.toContain(secret)
    expect(comment).toContain('git.example.com')
  })
})

describe('text from outside', () => {
  test.each([
    ['@acme/admins', '@\u200bacme\\/admins'],
    ['fixes #1', 'fixes \\#\u200b1'],
    ['<script>', '&lt;script&gt;'],
    ['[a](javascript:x)', '\\[a\\]\\(javascript\\:\u200bx\\)'],
    ['a | b', 'a \\| b'],
    ['https://evil.example', 'https\\:\u200b\\/\\/evil\\.example'],
    ['www.evil.example', 'www\u200b\\.evil\\.example'],
    ['x\n# y', 'x \\#\u200b y'],
    ['a\u202eb\u0007c', 'abc'],
  ])('%j is shown, not obeyed', (text, escaped) => {
    expect(escapeText(text)).toBe(escaped)
  })

  test('law: no unescaped mark-up, mention or line break survives', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), text => {
        const escaped = escapeText(text)
        expect(escaped).not.toMatch(/[\n\r<>]/)
        expect(escaped).not.toMatch(/@(?!\u200b)/)
        expect(escaped.replace(/\\[\s\S]/g, '')).not.toMatch(/[`*_[\]()|!~$\\]/)
      }),
    )
  })

  test('law: a code span or block is closed by its own fence only', () => {
    fc.assert(
      fc.property(fc.string({ unit: fc.constantFrom('`', 'a', '\n', '|', ' ', '\\') }), text => {
        const span = codeSpan(text)
        const fence = /^`+/.exec(span)?.[0] ?? ''
        if (span !== '') expect(span.slice(fence.length, -fence.length)).not.toContain(fence)
        expect(span).not.toMatch(/\n|(?<!\\)\|/)
        const block = codeBlock(text)
        const mark = /^`+/.exec(block)?.[0] ?? ''
        expect(block.slice(mark.length, -mark.length)).not.toContain(mark)
      }),
    )
  })

  test.each([
    'javascript:alert(1)',
    'data:text/html,x',
    '//x',
    'https://user:pw@x.example',
    'x',
  ])('%j becomes no link', address => expect(link(address)).toBe(''))

  test('an address cannot break out of its link', () => {
    expect(link('https://x.example/a b<>|`)](y)')).toMatch(/^<https:\/\/x\.example\/[^<>\s`]+>$/)
  })
})

describe('the commit status', () => {
  test.each([
    ['Ready', 'success'],
    ['Deploying', 'pending'],
    ['Waiting', 'pending'],
    ['Failed', 'failure'],
    ['Blocked', 'error'],
  ] as const)('of %s is %s', (state, expected) => {
    expect(renderStatus(viewWith({ state }))).toMatchObject({ state: expected, context: 'offshoot/offshoot/shop' })
  })

  test('is cut to what the forge takes, on one line, and links only to the web', () => {
    const status = renderStatus(viewWith({ ...failing('x\n'.repeat(500)), url: 'javascript:alert(1)' }))
    expect(status.description.length).toBeLessThanOrEqual(140)
    expect(status.description).not.toContain('\n')
    expect(status).not.toHaveProperty('targetUrl')
  })
})
