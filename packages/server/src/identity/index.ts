/** Identity: finds out which agent is calling, and hands out identities. */
export { Identity } from './service.ts';
export { identityTools } from './tools.ts';
