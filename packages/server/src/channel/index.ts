/** Floor 3: the coordination channel, where the server reports its failures and what it measured. */
export { divergencePayload } from './failure-event.ts';
export {
  boundaryFailure,
  embeddedEndedPayload,
  measurementPayload,
  requestPayload,
  shadowDivergence,
  unavailablePayload,
  type BoundaryErrorClass,
  type UnavailableFacts,
} from './payloads.ts';
export { rateBreachJob } from './rate-breach.ts';
export { readDropped, readReport, type ReportLine } from './report.ts';
export { reportWindow, type ReportWindow } from './report-window.ts';
export { createChannel, type Channel } from './service.ts';
export { storageFailure } from './storage-failure.ts';
