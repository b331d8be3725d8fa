import { describe, expect, it } from 'vitest'
import { stageOf, stagesOf } from '../../src/backend/engine/stages.ts'
import { itemOf, mapOf } from '../engine/plan/plan-items.ts'

const item = (path: string) => itemOf({ path }, [mapOf(path)])
const barrier = itemOf({ barrier: true })
const inFolder = (folder?: string) => ({
  apiVersion: 'v1',
  kind: 'ConfigMap',
  metadata: { name: 'a', ...(folder && { annotations: { 'kluctl.io/deployment-item-dir': folder } }) },
})

describe('the stages of a deployment', () => {
  it('are its folders between barriers; without barriers there are none', () => {
    expect(stagesOf([item('a'), item('b'), barrier, barrier, itemOf({ path: 'empty' }), item('c')])).toEqual([
      ['a', 'b'],
      ['c'],
    ])
    expect(stagesOf([item('a'), { ...item('b'), barrier: true }])).toEqual([])
    expect(stagesOf([{ ...item('a'), barrier: true }, item('b')])).toEqual([['a'], ['b']])
  })

  it('tell when an object was deployed; what is in none was first', () => {
    const stages = [['a', 'b'], ['c']]
    expect(['a', 'b', 'c', 'd', undefined].map(folder => stageOf(stages, inFolder(folder)))).toEqual([0, 0, 1, 0, 0])
    expect(stageOf([], inFolder('a'))).toBe(0)
  })

  it('fit into a status, whatever a branch makes of them', () => {
    const many = Array.from({ length: 100 }, (_, index) => [item(`i${index}`), barrier]).flat()
    expect(stagesOf(many)).toHaveLength(20)
    expect(stagesOf(many).at(-1)).toEqual(['i99'])
    const wide = Array.from({ length: 100 }, (_, index) => item(`i${index}`))
    expect(stagesOf([...wide, barrier, item('last')]).map(({ length }) => length)).toEqual([50, 1])
    const long = Array.from({ length: 100 }, (_, index) => [item(`${'x'.repeat(250)}${index}`), barrier]).flat()
    expect(JSON.stringify(stagesOf(long)).length).toBeLessThanOrEqual(16_384)
    expect(stagesOf([item('x'.repeat(254)), barrier, item('a'), barrier, item('b')])).toEqual([['a'], ['b']])
  })
})
