import { expect, test } from 'vitest'
import { aHouse } from '../harness/house.ts'

test('a delivery over HTTP ends in an environment, and a close in nothing', async () => {
  await using house = await aHouse().withProject('shop').start()
  const pull = await house.repo().openPullRequest({ title: 'Over HTTP' })
  await house.environment(pull).toBeReady(pull.sha)
  await house.repo().close(pull.number)
  await house.environment(pull).toBeGone()
  expect(await house.environmentNamespaces()).toEqual([])
})
