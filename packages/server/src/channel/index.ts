/** Floor 3: the coordination channel, where the server reports its own failures. */
export { createChannel, type Channel } from './service.ts';
export { divergencePayload } from './failure-event.ts';
