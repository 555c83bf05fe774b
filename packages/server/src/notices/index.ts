/** Notices: what programs around the agents report, and what is to be seen of the fleet at once. */
export { Notices } from './service.ts';
export { fleetTools } from './fleet-tools.ts';
export { noticeTools } from './report-tools.ts';
