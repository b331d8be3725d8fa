import type { MethodTable } from './method.ts'
export const stringMethods: MethodTable = new Map()
