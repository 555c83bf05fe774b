import { defineConfig } from 'vitest/config';

/**
 * Three levels, told by the file name: unit needs nothing, int a real PostgreSQL, e2e a started server.
 * PostgreSQL for tests is started once per run by the global set-up and stopped by its process id.
 */
const level = (name: 'unit' | 'int' | 'e2e') => ({
  test: {
    name,
    include: [`packages/**/*.${name}.test.ts`, ...(name === 'unit' ? ['checks/**/*.unit.test.ts'] : [])],
    testTimeout: name === 'unit' ? 60_000 : 120_000,
    hookTimeout: 120_000,
    // A poll ends when what it waits for is there; one second, the default, is less than a busy machine needs.
    expect: { poll: { timeout: 30_000 } },
    ...(name === 'unit' ? {} : { globalSetup: ['packages/server/testing/global-setup.ts'] }),
  },
});

export default defineConfig({ test: { maxWorkers: 2, projects: [level('unit'), level('int'), level('e2e')] } });
