import type { MethodTable } from './method.ts'
export const floatMethods: MethodTable = new Map()
export const intMethods: MethodTable = new Map()
