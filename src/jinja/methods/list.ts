import type { MethodTable } from './method.ts'
export const listMethods: MethodTable = new Map()
export const tupleMethods: MethodTable = new Map()
export const rangeMethods: MethodTable = new Map()
