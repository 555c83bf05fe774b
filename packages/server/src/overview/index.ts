/** What operators see of a fleet and of the server, put together for the console and the command line. */
export { createActivity } from './activity.ts';
export { createLastMinute } from './last-minute.ts';
export { Overview } from './service.ts';
