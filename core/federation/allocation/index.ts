export { type Allocation, type AllocationSite, createAllocation } from './create-allocation.ts'
export { allocationMethods } from './methods.ts'
export type { AllocationServer } from './serve.ts'
