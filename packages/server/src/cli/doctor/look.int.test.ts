import { once } from 'node:events';
import { mkdirSync, writeFileSync } from 'node:fs';
import { createServer as createHttp } from 'node:http';
import { createServer, type AddressInfo, type Server } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import { testDatabase } from '../../../testing/database.ts';
import { freePort, removeDataDir, temporaryDataDir } from '../../../testing/server.ts';
import { verifies } from '../../../testing/verifies.ts';
import { systemClock, type Clock } from '../../runtime/index.ts';
import { lookAtDataDir, lookAtDisk } from './gather.ts';
import { lookAtDatabase } from './look-at-database.ts';
import { lookAtServer } from './look-at-server.ts';

const { database } = await testDatabase();

/** The system's clock, so many ms off. */
const off = (ms: number): Clock => ({
  ...systemClock,
  now: () => systemClock.now() + ms,
  monotonic: () => systemClock.monotonic(),
  after: (wait, then) => systemClock.after(wait, then),
});

const listening = async (server: Server): Promise<string> => {
  server.listen(0, '127.0.0.1');
  onTestFinished(() => void server.close());
  await once(server, 'listening');
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
};

describe('a look at the database', () => {
  it('finds a healthy one well, and its clock close to ours', async () => {
    const facts = await lookAtDatabase(database, 'here', systemClock);
    expect(facts).toMatchObject({
      name: 'here',
      drift: { lines: [], missingTables: [], strayTables: [] },
      deadLetters: 0,
      outbox: { waiting: 0, oldest: null },
      dropped: 0,
    });
    expect(facts.migrations).toMatchObject({ pending: [] });
    expect(facts.tables?.length).toBeGreaterThan(3);
    expect(facts.tables?.every((one) => one.thisMonth && one.nextMonth && one.overdue.length === 0)).toBe(true);
    expect(Math.abs(facts.skew.ms)).toBeLessThan(facts.skew.uncertainty + 5);
  });

  it('finds by how much the clock of PostgreSQL differs from ours', async () => {
    verifies('BW-cli.02');
    const { skew } = await lookAtDatabase(database, 'here', off(40_000));
    expect(Math.abs(skew.ms + 40_000)).toBeLessThan(skew.uncertainty + 5);
    const ahead = await lookAtDatabase(database, 'here', off(-5_000));
    expect(Math.abs(ahead.skew.ms - 5_000)).toBeLessThan(ahead.skew.uncertainty + 5);
  });
});

describe('a look at what answers', () => {
  it('tells nothing, a stranger that speaks HTTP, and one that speaks something else', async () => {
    expect(await lookAtServer(`http://127.0.0.1:${await freePort()}`)).toEqual({
      kind: 'nothing',
      reason: 'ECONNREFUSED',
    });
    const page = createHttp((_request, response) => response.setHeader('content-type', 'text/html').end('<p>hello'));
    expect(await lookAtServer(await listening(page))).toEqual({ kind: 'stranger', what: 'HTTP 200, text/html' });
    const mail = createServer((socket) => socket.end('220 mail.example.org\r\n'));
    expect(await lookAtServer(await listening(mail))).toMatchObject({ kind: 'stranger' });
  });
});

describe('a look at the disk', () => {
  it('sees the file system of a path, also of one that is not there yet', () => {
    const disk = lookAtDisk(join(tmpdir(), 'not', 'there', 'yet'));
    expect(disk).toMatchObject({ path: tmpdir() });
    expect(disk!.total).toBeGreaterThan(disk!.free);
    expect(disk!.free).toBeGreaterThan(0);
  });

  it('sees whether a data directory is there and can be written', () => {
    const folder = temporaryDataDir({ empty: true });
    onTestFinished(() => removeDataDir(folder));
    expect(lookAtDataDir(join(folder, 'new'))).toMatchObject({ home: undefined, isWritable: true, owner: undefined });
    mkdirSync(join(folder, 'pg'));
    writeFileSync(join(folder, 'pg', 'PG_VERSION'), '18\n');
    expect(lookAtDataDir(folder)).toMatchObject({ home: folder, isWritable: true, owner: process.getuid?.() });
    writeFileSync(join(folder, 'file'), '');
    expect(lookAtDataDir(join(folder, 'file', 'below'))).toMatchObject({ home: undefined, isWritable: false });
  });
});
