/** Floor 3: feature flags. Read from memory, set in PostgreSQL, overridden by the environment. */
export { createFlags, type Flags } from './service.ts';
