/** For those who test plugins: a host for unit tests, and the cases that every plugin must pass. */
export { type PluginCaller, startInProcess } from './caller.ts'
export { type ConformanceCase, type ConformanceOptions, conformance } from './conformance.ts'
export { connectDirectly } from './direct-connect.ts'
export { createFakeClock, type FakeClock } from './fake-clock.ts'
export {
  createFakeHost,
  type FakeHost,
  type FakeHostOptions,
  type LoggedLine,
} from './fake-host.ts'
export { type ConformanceSettings, conformanceInProcess } from './in-process.ts'
export { createMemoryStorage, type StoredText } from './memory-storage.ts'
export { type Samples, samplesSchema } from './samples.ts'
