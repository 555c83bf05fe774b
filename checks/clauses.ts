/** Features whose `must` clauses are due: each needs a test that cites it. */
export const BUILT_FEATURES: readonly string[] = [
  'runtime',
  'postgres',
  'baselines',
  'flags',
  'dispatch',
  'serve',
  'checkin',
  'identity',
  'dialectic',
  'saga',
  'channel',
  'outcomes',
  'knowledge',
  'console',
  'cli',
  'sdk',
];

/** Clauses of built features that wait for something that is not built yet, and for what. */
export const LATER: Readonly<Record<string, string>> = {
  'W3-3.12': 'needs the edge process, which forwards to a runtime behind it',
};
