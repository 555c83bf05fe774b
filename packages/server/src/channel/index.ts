/** The failure channel. */
export { divergencePayload } from './divergence.ts';
export { createChannel, type Channel } from './service.ts';
