import { rmSync } from 'node:fs';
import { join } from 'node:path';
import type { TestProject } from 'vitest/node';
import {
  ensurePartitions,
  migrate,
  openDatabase,
  startEmbedded,
  type ConnectionTarget,
  type Database,
} from '../src/postgres/index.ts';
import { TEMPLATES } from './database.ts';
import { DATA_TEMPLATE } from './server.ts';
import { temporaryFolder } from './temporary-folder.ts';

declare module 'vitest' {
  interface ProvidedContext {
    postgres: ConnectionTarget & { readonly socketDir: string };
  }
}

/** Makes a migrated database for servers of tests to begin with, and stops its PostgreSQL. Returns its folder. */
const dataTemplate = async (): Promise<string> => {
  const home = temporaryFolder('template');
  const server = await startEmbedded({ dataDir: home });
  const database = openDatabase({ target: server.target, onError: () => undefined });
  await migrate(database);
  await database.close();
  await server.stop();
  process.env[DATA_TEMPLATE] = join(home, 'pg');
  return home;
};

/**
 * One real PostgreSQL for the run, with migrated templates from which each test file's database is copied. The databases of
 * failed files are kept: then the data folder stays, and its place is printed.
 */
export default async function setup(project: TestProject): Promise<() => Promise<void>> {
  const home = temporaryFolder('tests');
  const server = await startEmbedded({ dataDir: home, settings: { shared_buffers: '64MB', max_connections: '200' } });
  const admin = openDatabase({ target: server.target, poolSize: 1, onError: () => undefined });
  const inTemplate = async (name: string, work: (template: Database) => Promise<unknown>) => {
    const template = openDatabase({ target: { ...server.target, database: name }, onError: () => undefined });
    await work(template);
    await template.close();
  };
  await admin.query({ text: `CREATE DATABASE ${TEMPLATES.bare}` });
  await inTemplate(TEMPLATES.bare, migrate);
  await admin.query({ text: `CREATE DATABASE ${TEMPLATES.today} TEMPLATE ${TEMPLATES.bare}` });
  await inTemplate(TEMPLATES.today, (template) => ensurePartitions(template, Date.now()));
  project.provide('postgres', server.target);
  const stopped = project.name === 'e2e' ? await dataTemplate() : undefined;
  return async () => {
    if (stopped !== undefined) rmSync(stopped, { recursive: true, force: true });
    const kept = await admin.query<{ name: string }>({
      text: `SELECT datname AS name FROM pg_database WHERE datname LIKE 'test\\_%'`,
    });
    await admin.close();
    await server.stop();
    if (kept.length === 0) rmSync(home, { recursive: true, force: true });
    else {
      project.vitest.logger.log(`Databases of failed files, in ${home}: ${kept.map(({ name }) => name).join(', ')}`);
    }
  };
}
