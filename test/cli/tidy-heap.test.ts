import { expect, onTestFinished, test } from 'vitest'
import { keepTidy } from '../../src/cli/tidy-heap.ts'
import { silentLogger } from '../../src/util/log.ts'
import { FakeClock } from '../controller/fake-clock.ts'

const megabyte = 1 << 20

/** A heap that is watched over, and what its process is doing. */
function watched() {
  const clock = new FakeClock()
  const stop = new AbortController()
  onTestFinished(() => stop.abort())
  const heap = {
    megabytes: 250,
    collections: 0,
    cpu: 0,
    size: () => heap.megabytes * megabyte,
    used: () => heap.cpu,
    collect: () => {
      heap.collections++
      heap.megabytes = 80
      return Promise.resolve()
    },
  }
  const work = { idle: true }
  const ended = keepTidy({ idle: () => work.idle, clock, log: silentLogger, heap }, stop.signal)
  return { clock, heap, work, stop, ended }
}

test('what a start or a burst needed is given back when it is over', async () => {
  const { clock, heap, work } = watched()
  work.idle = false
  await clock.advance(60_000)
  expect(heap.collections).toBe(0)
  work.idle = true
  await clock.advance(20_000)
  expect(heap.megabytes).toBe(80)
  heap.megabytes = 200
  await clock.advance(20_000)
  expect(heap.megabytes).toBe(80)
})

test('a pause in the middle of a burst is none', async () => {
  const { clock, heap, work } = watched()
  for (let round = 0; round < 10; round++) {
    work.idle = round % 2 === 0
    await clock.advance(10_000)
  }
  expect(heap.collections).toBe(0)
})

test('changes that come one after the other are not held up', async () => {
  const { clock, heap } = watched()
  for (let round = 0; round < 10; round++) {
    heap.cpu += 1_000
    await clock.advance(10_000)
  }
  expect(heap.collections).toBe(0)
})

test('a heap that is as small as it can be is left alone', async () => {
  const { clock, heap } = watched()
  await clock.advance(20_000)
  heap.megabytes = 110
  await clock.advance(600_000)
  expect(heap.collections).toBe(1)
})

test('it ends with the signal', async () => {
  const { stop, ended } = watched()
  stop.abort(new Error('the end'))
  await expect(ended).resolves.toBeUndefined()
})
