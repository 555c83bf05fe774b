import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TestProject } from 'vitest/node';
import {
  ensurePartitions,
  migrate,
  openDatabase,
  startEmbedded,
  type ConnectionTarget,
} from '../src/postgres/index.ts';
import { TEMPLATE } from './database.ts';

declare module 'vitest' {
  interface ProvidedContext {
    postgres: ConnectionTarget;
  }
}

/** One real PostgreSQL for the run, with a migrated template from which each test file's database is copied. */
export default async function setup(project: TestProject): Promise<() => Promise<void>> {
  const home = mkdtempSync(join(tmpdir(), 'breakwater-tests-'));
  const server = await startEmbedded({ dataDir: home, settings: { shared_buffers: '64MB', max_connections: '200' } });
  if (!('socketDir' in server.target)) throw new Error('the embedded server listens on a socket');
  const admin = openDatabase({ target: server.target, onError: () => undefined });
  await admin.query({ text: `CREATE DATABASE ${TEMPLATE}` });
  await admin.close();
  const template = openDatabase({ target: { ...server.target, database: TEMPLATE }, onError: () => undefined });
  await migrate(template);
  await ensurePartitions(template, Date.now());
  await template.close();
  project.provide('postgres', server.target);
  return async () => {
    await server.stop();
    rmSync(home, { recursive: true, force: true });
  };
}
