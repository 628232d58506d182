export {
  type Rendezvous,
  type RendezvousCounts,
  type RendezvousParts,
  startRendezvous,
} from './rendezvous.ts'
export { defaultRendezvousSettings, type RendezvousSettings } from './settings.ts'
export { createWhiteList, type WhiteList, type WrittenWhiteList } from './white-list.ts'
