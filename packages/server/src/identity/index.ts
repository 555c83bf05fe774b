/** Identity: finds out which agent is calling, and hands out identities. */
export { Identity } from './service.ts';
export { displayNameOf, handleOf, identityTools } from './tools.ts';
