/** Floor 3: feature flags. Read from memory, set in PostgreSQL, overridden by the environment. */
export { flagsOfEnvironment, REFERENCE_WORDS, valueOfWord, type FlagChange } from './flag.ts';
export { createFlags, type Flags, type FlagView } from './service.ts';
