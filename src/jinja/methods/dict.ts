import type { MethodTable } from './method.ts'
export const dictMethods: MethodTable = new Map()
