/** Feature flags: what the code knows, what PostgreSQL says, and which of the two is in force. */
export { createFlags, type Flags } from './service.ts';
