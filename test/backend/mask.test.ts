import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { presentable } from '../../src/backend/mask.ts'

describe('text of a foreign tool', () => {
  it.each([
    [
      'cloning https://user:hunter22@git.example.com/shop.git failed',
      'cloning https://***@git.example.com/shop.git failed',
    ],
    ['authorization: Bearer abcdefgh12345678', 'authorization: Bearer ***'],
    ['invalid ghp_0123456789abcdefABCDEF token', 'invalid ghp_*** token'],
    ['password: hunter22, user: bob', 'password: ***, user: bob'],
    ['DB_PASSWORD=hunter22', 'DB_PASSWORD=***'],
    ['{"clientSecret": "hunter 22"}', '{"clientSecret": ***}'],
    ['key -----BEGIN RSA PRIVATE KEY-----\nMIIE\n-----END RSA PRIVATE KEY----- end', 'key *** end'],
    ['target nope not existent in kluctl project config', 'target nope not existent in kluctl project config'],
  ])('%s', (text, expected) => {
    expect(presentable(text)).toBe(expected)
  })

  it('becomes one line without control characters, within its limit', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary', maxLength: 400 }), fc.integer({ min: 1, max: 200 }), (text, limit) => {
        const shown = presentable(text, limit)
        expect(shown.length).toBeLessThanOrEqual(limit)
        expect(shown).not.toMatch(/\p{Cc}/u)
      }),
    )
  })

  it('never shows the user part of an URL', () => {
    const secret = fc.stringMatching(/^[A-Za-z0-9_%.-]{6,30}$/)
    fc.assert(
      fc.property(secret, fc.string({ maxLength: 50 }), (password, around) => {
        const shown = presentable(`${around} https://bot:zq${password}qz@example.com/x ${around}`)
        expect(shown).not.toContain(`zq${password}qz`)
      }),
    )
  })
})
