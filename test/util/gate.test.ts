import { expect, test, vi } from 'vitest'
import { Gate } from '../../src/util/gate.ts'
import { LruMap } from '../../src/util/lru.ts'

test('a gate lets through as many as it is wide, in order, also after failures and aborts', async () => {
  const gate = new Gate(2)
  const order: string[] = []
  const open: Record<string, () => void> = {}
  const work = (name: string, signal?: AbortSignal) =>
    gate.run(async () => {
      order.push(name)
      await new Promise<void>(resolve => {
        open[name] = resolve
      })
      if (name === 'a') throw new Error('a failed')
    }, signal)
  const controller = new AbortController()
  const [a, b, c, d] = [work('a'), work('b'), work('c', controller.signal), work('d')]
  await vi.waitFor(() => expect(order).toEqual(['a', 'b']))
  controller.abort(new Error('no longer'))
  await expect(c).rejects.toThrow('no longer')
  open.a?.()
  await expect(a).rejects.toThrow('a failed')
  await vi.waitFor(() => expect(order).toEqual(['a', 'b', 'd']))
  open.b?.()
  open.d?.()
  await Promise.all([b, d])
  const e = work('e')
  await vi.waitFor(() => expect(order).toContain('e'))
  open.e?.()
  await e
})

test('work that leaves early gives its place to the next, once', async () => {
  const gate = new Gate(1)
  const order: string[] = []
  let end = () => {}
  const first = gate.run(async leave => {
    order.push('first')
    leave()
    leave()
    await new Promise<void>(resolve => (end = resolve))
  })
  let go = () => {}
  const second = gate.run(async () => {
    order.push('second')
    await new Promise<void>(resolve => (go = resolve))
  })
  const third = gate.run(async () => void order.push('third'))
  await vi.waitFor(() => expect(order).toContain('second'))
  end()
  await first
  expect(order).toEqual(['first', 'second'])
  go()
  await Promise.all([second, third])
  expect(order).toEqual(['first', 'second', 'third'])
})

test('a map forgets what was not used for longest', () => {
  const map = new LruMap<string, number>(2)
  map.set('a', 1)
  map.set('b', 2)
  map.get('a')
  map.set('c', 3)
  expect([map.get('a'), map.get('b'), map.get('c'), map.size]).toEqual([1, undefined, 3, 2])
})
