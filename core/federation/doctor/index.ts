export { type DoctorParts, examineFederation } from './doctor.ts'
export { type Check, checks, type Finding, type Verdict } from './finding.ts'
export { createNames, type Names, readHosts } from './names.ts'
export type { PingOutcome } from './signed-ping.ts'
export {
  createSiteExaminer,
  type LinkReport,
  type MemberReport,
  type SiteExaminer,
  type SiteReport,
} from './site-report.ts'
export { reportStandingAlone, type StandAloneParts } from './stand-alone.ts'
