import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import {
  chmodSync,
  chownSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { dirname, join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { describe, expect, it, onTestFinished } from 'vitest';
import { temporaryFolder } from '../../../testing/temporary-folder.ts';
import { verifies } from '../../../testing/verifies.ts';
import { openDatabase } from '../connect.ts';
import { StartupError } from '../startup-error.ts';
import { migrate } from '../migrate.ts';
import { onPrimary } from '../primary.ts';
import { borrowEmbedded } from './borrow.ts';
import { startEmbedded } from './embedded.ts';
import { isAlive, lockFolder } from './lock.ts';

const PROGRAM = fileURLToPath(new URL('./testing/main.ts', import.meta.url));
const CONTENDER = fileURLToPath(new URL('./testing/contend/main.ts', import.meta.url));
const ROOT = process.getuid?.() === 0;
const NOBODY = 65_534;
const SMALL = { shared_buffers: '16MB' };

/** Every PG* variable of libpq and of the driver, each leading away from our own server or keeping the driver from it. */
const HOSTILE: Readonly<Record<string, string>> = {
  PGHOST: '203.0.113.1',
  PGHOSTADDR: '203.0.113.1',
  PGPORT: '1',
  PGDATABASE: 'elsewhere',
  PGUSER: 'somebody',
  PGPASSWORD: 'wrong',
  PGPASSFILE: '/nonexistent/pgpass',
  PGREQUIREAUTH: 'scram-sha-256',
  PGCHANNELBINDING: 'require',
  PGSERVICE: 'nowhere',
  PGSERVICEFILE: '/nonexistent/service',
  PGOPTIONS: '-c default_transaction_read_only=on',
  PGAPPNAME: 'another',
  PGSSLMODE: 'require',
  PGREQUIRESSL: '1',
  PGSSLNEGOTIATION: 'direct',
  PGSSLCERT: '/nonexistent/cert',
  PGSSLKEY: '/nonexistent/key',
  PGSSLROOTCERT: '/nonexistent/root',
  PGSSLCRL: '/nonexistent/crl',
  PGSSLSNI: '1',
  PGGSSENCMODE: 'require',
  PGKRBSRVNAME: 'postgres',
  PGCONNECT_TIMEOUT: '1',
  PGCLIENT_ENCODING: 'LATIN1',
  PGTARGETSESSIONATTRS: 'standby',
  PGLOADBALANCEHOSTS: 'random',
  PGDATESTYLE: 'German',
  PGTZ: 'Asia/Tokyo',
  PGGEQO: 'off',
  PGSYSCONFDIR: '/nonexistent',
  PGLOCALEDIR: '/nonexistent',
  PGREPLICATION: 'database',
  PGBINARY: 'true',
  PGDATA: '/nonexistent',
};

/** What the program of these tests says about itself. */
interface Said {
  readonly pid: number;
  readonly adopted: boolean;
  readonly dataDir: string;
  readonly socketDir: string;
  readonly starts: number;
  readonly error?: string;
  readonly wayOut?: string;
}

const folder = (): string => {
  const path = temporaryFolder('embedded');
  onTestFinished(() => rmSync(path, { recursive: true, force: true }));
  return path;
};

/** Starts the program in a process of its own, and waits for what it says. */
const startProgram = async (dataDir: string, user?: number) => {
  const child = spawn(process.execPath, [PROGRAM, dataDir], {
    stdio: ['pipe', 'pipe', 'inherit'],
    ...(user !== undefined && { uid: user, gid: user }),
  });
  const exited = once(child, 'exit');
  onTestFinished(async () => {
    child.stdin.destroy();
    await exited;
  });
  const [line] = (await once(createInterface(child.stdout), 'line')) as [string];
  const said = JSON.parse(line) as Said;
  onTestFinished(() => {
    if (isAlive(said.pid)) process.kill(said.pid, 'SIGQUIT');
  });
  return {
    said,
    stop: async () => {
      child.stdin.end();
      await exited;
    },
    kill: async () => {
      child.kill('SIGKILL');
      await exited;
    },
  };
};

const ownerOf = (pid: number): number =>
  Number(/^Uid:\s+(\d+)/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1]);

describe('the embedded PostgreSQL', () => {
  const users: [string, number | undefined][] = [
    ['whoever runs the tests', undefined],
    ...(ROOT ? ([['an ordinary user', NOBODY]] as [string, number][]) : []),
  ];

  it.each(users)('starts twice in a row and keeps its data, as %s', async (_, user) => {
    verifies('BW-postgres.01');
    const dataDir = folder();
    if (user !== undefined) chownSync(dataDir, user, user);
    for (const starts of [1, 2]) {
      const { said, stop } = await startProgram(dataDir, user);
      expect(said).toMatchObject({ adopted: false, starts, dataDir });
      expect(ownerOf(said.pid)).not.toBe(0);
      if (user !== undefined) expect(ownerOf(said.pid)).toBe(user);
      expect(statSync(said.socketDir).mode & 0o777).toBe(0o700);
      await stop();
      expect(isAlive(said.pid)).toBe(false);
    }
  });

  it.each(users)('is adopted after its server was killed, and stopped by the next one, as %s', async (_, user) => {
    verifies('BW-postgres.01');
    const dataDir = folder();
    if (user !== undefined) chownSync(dataDir, user, user);
    const first = await startProgram(dataDir, user);
    await first.kill();
    expect(isAlive(first.said.pid)).toBe(true);
    const second = await startProgram(dataDir, user);
    expect(second.said).toMatchObject({ adopted: true, pid: first.said.pid, starts: 2 });
    await second.stop();
    expect(isAlive(first.said.pid)).toBe(false);
  });

  it('recovers when PostgreSQL was killed together with its server', async () => {
    verifies('BW-postgres.01');
    const dataDir = folder();
    const first = await startProgram(dataDir);
    await first.kill();
    process.kill(first.said.pid, 'SIGKILL');
    const second = await startProgram(dataDir);
    expect(second.said).toMatchObject({ adopted: false, starts: 2 });
    expect(second.said.pid).not.toBe(first.said.pid);
    await second.stop();
  });

  it('does not take another program for PostgreSQL that got the process id of a dead one', async () => {
    const dataDir = folder();
    const first = await startEmbedded({ dataDir, settings: SMALL });
    await first.stop();
    const lines = [process.pid, join(dataDir, 'pg'), 0, 5432, join(dataDir, 'run'), '', 0, 'ready   '];
    writeFileSync(join(dataDir, 'pg/postmaster.pid'), `${lines.join('\n')}\n`);
    const second = await startEmbedded({ dataDir, settings: SMALL });
    expect(second.adopted).toBe(false);
    await second.stop();
  });

  it('belongs to one server at a time; the second is told which process has it', async () => {
    verifies('BW-postgres.02');
    const dataDir = folder();
    const first = await startEmbedded({ dataDir, settings: SMALL });
    const { said } = await startProgram(dataDir);
    expect(said.error).toContain(`process ${process.pid}`);
    expect(said.wayOut).toContain('BREAKWATER_DATA_DIR');
    await first.stop();
    expect(existsSync(join(dataDir, 'server.lock'))).toBe(false);
  });

  it('is reachable by its socket alone', async () => {
    const dataDir = folder();
    const server = await startEmbedded({ dataDir, settings: SMALL });
    const database = openDatabase({ target: server.target, onError: () => undefined });
    const [row] = await database.query<Record<string, string>>({
      text: `SELECT current_setting('listen_addresses') AS addresses, current_setting('fsync') AS fsync,
               current_setting('synchronous_commit') AS synchronous_commit`,
    });
    expect(row).toEqual({ addresses: '', fsync: 'on', synchronous_commit: 'on' });
    await database.close();
    await server.stop();
  });

  it('works in a folder whose path is too long for a socket', async () => {
    const dataDir = join(folder(), 'x'.repeat(100));
    const server = await startEmbedded({ dataDir, settings: SMALL });
    expect(server.target.socketDir.startsWith(dataDir)).toBe(false);
    expect(statSync(server.target.socketDir).mode & 0o777).toBe(0o700);
    await server.stop();
    rmSync(server.target.socketDir, { recursive: true });
  });

  it('answers reads from a standby only as a standby, and nothing starts on one that has the schema', async () => {
    verifies('BW-postgres.08', 'BW-nodes.04');
    const dataDir = folder();
    const primary = await startEmbedded({ dataDir, settings: SMALL });
    const first = openDatabase({ target: primary.target, onError: () => undefined });
    await migrate(first);
    await first.close();
    await primary.stop();
    writeFileSync(join(dataDir, 'pg/standby.signal'), '');
    const standby = await startEmbedded({ dataDir, settings: SMALL });
    const database = openDatabase({ target: standby.target, onError: () => undefined });
    onTestFinished(async () => {
      await database.close();
      await standby.stop();
    });
    const outcome = await database.transaction((tx) => onPrimary(tx));
    expect(outcome.ok ? 'accepted' : outcome.refusal.code).toBe('STORAGE_UNAVAILABLE');
    const refusal: unknown = await migrate(database).catch((error: unknown) => error);
    expect(refusal).toBeInstanceOf(StartupError);
    expect(refusal).toMatchObject({ message: expect.stringContaining('standby') as string });
  });
});

describe('the embedded PostgreSQL says what is wrong and what to do', () => {
  const problemOf = async (dataDir: string) => {
    const error: unknown = await startEmbedded({ dataDir, settings: SMALL }).then(
      async (server) => server.stop(),
      (reason: unknown) => reason,
    );
    return error as { name: string; message: string; wayOut: string };
  };

  it('when its folder cannot be written', async () => {
    verifies('BW-postgres.02');
    const place = folder();
    const file = join(place, 'file');
    writeFileSync(file, '');
    const problem = await problemOf(join(file, 'data'));
    expect(problem.name).toBe('StartupError');
    expect(problem.message).toContain('cannot be written');
    expect(problem.wayOut).toContain('BREAKWATER_DATA_DIR');
  });

  it.runIf(ROOT)('when an ordinary user may not write its folder', async () => {
    verifies('BW-postgres.02');
    const { said } = await startProgram(folder(), NOBODY);
    expect(said.error).toContain('cannot be written (EACCES)');
    expect(said.wayOut).toContain('BREAKWATER_DATA_DIR');
  });

  it.runIf(ROOT).each([
    ['from the start', '16k', 'x'.repeat(20_000)],
    ['while the cluster is made', '2m', ''],
  ])('when the disk is full %s', async (_, size, filler) => {
    verifies('BW-postgres.02');
    const dataDir = folder();
    const mounted = spawnSync('mount', ['-t', 'tmpfs', '-o', `size=${size},mode=755`, 'none', dataDir]);
    expect(mounted.stderr.toString()).toBe('');
    onTestFinished(() => void spawnSync('umount', [dataDir]));
    try {
      writeFileSync(join(dataDir, 'filler'), filler);
    } catch {
      // That is the point.
    }
    const problem = await problemOf(dataDir);
    expect(problem.message).toBe(`The disk of the data directory ${dataDir} is full.`);
    expect(problem.wayOut).toContain('Free some space');
    expect(existsSync(join(dataDir, 'pg'))).toBe(false);
  });

  it('when the data belong to another version', async () => {
    verifies('BW-postgres.02');
    const dataDir = folder();
    mkdirSync(join(dataDir, 'pg'));
    writeFileSync(join(dataDir, 'pg/PG_VERSION'), '15\n');
    const problem = await problemOf(dataDir);
    expect(problem.message).toContain('belongs to PostgreSQL 15');
    expect(problem.wayOut).toContain('choose another BREAKWATER_DATA_DIR');
  });

  it('when the folder holds something else, which it leaves alone', async () => {
    verifies('BW-postgres.02');
    const dataDir = folder();
    mkdirSync(join(dataDir, 'pg'));
    writeFileSync(join(dataDir, 'pg/letters.txt'), 'dear');
    const problem = await problemOf(dataDir);
    expect(problem.message).toContain('holds files, but no PostgreSQL data');
    expect(readFileSync(join(dataDir, 'pg/letters.txt'), 'utf8')).toBe('dear');
  });

  it('when somebody else may enter the folder of its socket', async () => {
    const dataDir = folder();
    mkdirSync(join(dataDir, 'run'));
    chmodSync(join(dataDir, 'run'), 0o777);
    const problem = await problemOf(dataDir);
    expect(problem.message).toContain('not private');
  });
});

describe.runIf(ROOT)('as root', () => {
  it('keeps the data elsewhere, and says where, when PostgreSQL may not enter the folder', async () => {
    verifies('BW-postgres.01');
    const home = folder();
    chmodSync(home, 0o700);
    const server = await startEmbedded({ dataDir: join(home, 'data'), settings: SMALL });
    onTestFinished(() => rmSync(server.dataDir, { recursive: true, force: true }));
    expect(server.dataDir).toMatch(/^\/var\/lib\/breakwater\/[0-9a-f]{12}$/);
    await server.stop();
    const again = await startEmbedded({ dataDir: join(home, 'data'), settings: SMALL });
    expect(again.dataDir).toBe(server.dataDir);
    await again.stop();
  });

  it('goes on with what an ordinary user began, as that user', async () => {
    const dataDir = folder();
    chownSync(dataDir, NOBODY, NOBODY);
    const first = await startProgram(dataDir, NOBODY);
    await first.stop();
    const second = await startProgram(dataDir);
    expect(second.said.starts).toBe(2);
    expect(ownerOf(second.said.pid)).toBe(NOBODY);
    await second.stop();
  });

  it('works where an ordinary user has the data, also when nobody else may enter, beside a server and without', async () => {
    const dataDir = folder();
    chownSync(dataDir, NOBODY, NOBODY);
    chmodSync(dataDir, 0o700);
    const first = await startProgram(dataDir, NOBODY);
    const beside = await borrowEmbedded({ dataDir });
    expect(beside).toMatchObject({ dataDir, target: { socketDir: first.said.socketDir } });
    expect(beside.serverPid).toBeDefined();
    await beside.end();
    await first.stop();
    const alone = await borrowEmbedded({ dataDir, settings: SMALL });
    expect(alone).toMatchObject({ dataDir, serverPid: undefined });
    await alone.end();
  });

  it('starts whatever the umask', async () => {
    const before = process.umask(0o077);
    try {
      const dataDir = join(folder(), 'below', 'data');
      const server = await startEmbedded({ dataDir, settings: SMALL });
      expect(server.dataDir).toBe(dataDir);
      await server.stop();
    } finally {
      process.umask(before);
    }
  });
});

describe('a command on the embedded PostgreSQL', () => {
  const borrow = (dataDir: string, waitMs?: number) =>
    borrowEmbedded({ dataDir, mayCreate: true, settings: SMALL, ...(waitMs !== undefined && { waitMs }) });
  const pidIn = async ({ target }: Awaited<ReturnType<typeof borrow>>): Promise<number> => {
    const database = openDatabase({ target, onError: () => undefined });
    const [row] = await database.query<{ pid: string }>({
      text: `SELECT split_part(pg_read_file('postmaster.pid'), chr(10), 1) AS pid`,
    });
    await database.close();
    return Number(row?.pid);
  };

  it('works beside the server that runs it, which goes on', async () => {
    const dataDir = folder();
    const { said, stop } = await startProgram(dataDir);
    const lock = readFileSync(join(dataDir, 'server.lock'), 'utf8');
    const borrowed = await borrow(dataDir);
    expect(borrowed).toMatchObject({ serverPid: Number(lock.split(' ')[0]), dataDir });
    expect(await pidIn(borrowed)).toBe(said.pid);
    await borrowed.end();
    expect(await pidIn(await borrow(dataDir))).toBe(said.pid);
    expect(readFileSync(join(dataDir, 'server.lock'), 'utf8')).toBe(lock);
    await stop();
  });

  it('starts it without a server, and stops it', async () => {
    const dataDir = folder();
    const borrowed = await borrow(dataDir);
    expect(borrowed.serverPid).toBeUndefined();
    const pid = await pidIn(borrowed);
    await borrowed.end();
    expect(isAlive(pid)).toBe(false);
    expect(existsSync(join(dataDir, 'server.lock'))).toBe(false);
  });

  it('takes turns with other commands and with a server that starts', async () => {
    const dataDir = folder();
    const first = await borrow(dataDir);
    const pid = await pidIn(first);
    const others = [borrow(dataDir), startEmbedded({ dataDir, settings: SMALL })] as const;
    await first.end();
    expect(isAlive(pid)).toBe(false);
    // Whichever comes first: the command ends before the server starts, or works beside it.
    const command = await others[0];
    expect(await pidIn(command)).not.toBe(pid);
    await command.end();
    await (await others[1]).stop();
  });

  it('waits for a server without PostgreSQL, which may start or stop, but not for ever', async () => {
    const dataDir = folder();
    const release = await lockFolder(join(dataDir, 'server.lock'), 'server');
    await expect(borrow(dataDir, 0)).rejects.toMatchObject({
      name: 'StartupError',
      message: `A Breakwater server (process ${process.pid}) holds ${dataDir}, but no PostgreSQL runs there.`,
    });
    const waiting = borrow(dataDir);
    release();
    const borrowed = await waiting;
    expect(borrowed.serverPid).toBeUndefined();
    await borrowed.end();
  });
});

describe('the lock of a data folder', () => {
  it('is taken over from a dead process, also when its id lives on in another', async () => {
    const path = join(folder(), 'server.lock');
    const dead = spawnSync(process.execPath, ['-e', '']);
    for (const owner of [`${dead.pid} 1`, `${process.pid} 1 command`, 'garbage', '']) {
      writeFileSync(path, owner);
      writeFileSync(`${path}.${dead.pid}.1.00`, 'the claim of a process that died while it took it');
      const release = await lockFolder(path, 'server');
      expect(readdirSync(dirname(path))).toEqual(['server.lock']);
      release();
      expect(existsSync(path)).toBe(false);
    }
  });

  it('is held until it is released, and released only by its holder', async () => {
    const path = join(folder(), 'server.lock');
    const release = await lockFolder(path, 'server');
    await expect(lockFolder(path, 'server')).rejects.toThrow(`process ${process.pid}`);
    expect(readdirSync(dirname(path))).toEqual(['server.lock']);
    release();
    writeFileSync(path, 'somebody else');
    release();
    expect(readFileSync(path, 'utf8')).toBe('somebody else');
  });

  it('of a command is waited for, and named when it takes too long', async () => {
    const path = join(folder(), 'server.lock');
    const release = await lockFolder(path, 'command');
    await expect(lockFolder(path, 'server', 0)).rejects.toThrow(
      `A Breakwater command (process ${process.pid}) works on this data directory.`,
    );
    const waiting = lockFolder(path, 'server');
    release();
    (await waiting)();
  });

  it('is not taken over while another living process takes it', async () => {
    const path = join(folder(), 'server.lock');
    const start = readFileSync(`/proc/${process.pid}/stat`, 'utf8').split(') ').at(-1)?.split(' ')[19];
    const claim = `${path}.${process.pid}.${start}.00`;
    writeFileSync(path, 'dead');
    writeFileSync(claim, '');
    await expect(lockFolder(path, 'server', 0)).rejects.toThrow('being taken by another process');
    expect(readFileSync(path, 'utf8')).toBe('dead');
    const waiting = lockFolder(path, 'server');
    rmSync(claim);
    (await waiting)();
  });

  it('never belongs to two processes, however many find it dead at once', async () => {
    const path = join(folder(), 'server.lock');
    writeFileSync(path, 'dead');
    const turns = 40;
    const said = await Promise.all(
      Array.from({ length: 5 }, async () => {
        const child = spawn(process.execPath, [CONTENDER, path, String(turns)], {
          stdio: ['ignore', 'pipe', 'inherit'],
        });
        let text = '';
        child.stdout.setEncoding('utf8').on('data', (chunk: string) => (text += chunk));
        await once(child, 'close');
        return text;
      }),
    );
    expect(said).toEqual(said.map(() => JSON.stringify({ held: turns, shared: 0 })));
  });

  it('is reached whatever PG* variables say, and starts with all of them set', async () => {
    const dataDir = folder();
    const server = await startEmbedded({ dataDir, settings: SMALL });
    const asked = { text: `SELECT current_user AS who, current_database() AS db, 1 AS one` };
    const saved = { ...process.env };
    const restore = () => {
      for (const name of Object.keys(HOSTILE)) Reflect.deleteProperty(process.env, name);
      Object.assign(process.env, saved);
    };
    try {
      for (const variables of [...Object.entries(HOSTILE).map(([name, value]) => ({ [name]: value })), HOSTILE]) {
        Object.assign(process.env, variables);
        const database = openDatabase({ target: server.target, poolSize: 1, onError: () => undefined });
        const label = Object.keys(variables).join(' ');
        await expect(database.query(asked), label).resolves.toEqual([{ who: 'breakwater', db: 'breakwater', one: 1 }]);
        const own = await database.connect();
        await expect(own.query(asked), label).resolves.toHaveLength(1);
        await own.close();
        await database.close();
        restore();
      }
      Object.assign(process.env, HOSTILE);
      await server.stop();
      const again = await startEmbedded({ dataDir, settings: SMALL });
      await again.stop();
    } finally {
      restore();
      await server.stop();
    }
  });

  it.each(['pg/postmaster.pid', 'run/.s.PGSQL.5432.lock'])('starts over an empty %s', async (name) => {
    const dataDir = folder();
    const first = await startEmbedded({ dataDir, settings: SMALL });
    await first.stop();
    writeFileSync(join(dataDir, name), '');
    const second = await startEmbedded({ dataDir, settings: SMALL });
    expect(second.adopted).toBe(false);
    await second.stop();
  });

  it('is started again on the same socket after it was killed', async () => {
    const server = await startEmbedded({ dataDir: folder(), settings: SMALL });
    const database = openDatabase({ target: server.target, onError: () => undefined });
    await database.query({ text: 'CREATE TABLE kept (n int)' });
    const killed = server.pid;
    process.kill(killed, 'SIGKILL');
    while (server.isRunning()) await new Promise((resolve) => setTimeout(resolve, 5));
    await server.revive();
    expect(server.pid).not.toBe(killed);
    // Idle connections of the pool went with the old one.
    await database.query({ text: 'SELECT 1' }).catch(() => undefined);
    expect(await database.query({ text: 'SELECT n FROM kept' })).toEqual([]);
    await database.close();
    await server.stop();
    expect(isAlive(server.pid)).toBe(false);
  });

  it('is not begun by a command that has not been told to: the folder stays empty, and the error names it', async () => {
    const dataDir = join(folder(), 'mistyped');
    await expect(borrowEmbedded({ dataDir })).rejects.toThrow(`There is no database in ${dataDir}.`);
    expect(existsSync(dataDir)).toBe(false);
    const made = await borrowEmbedded({ dataDir, mayCreate: true });
    await made.end();
    const found = await borrowEmbedded({ dataDir });
    await found.end();
    expect(found.dataDir).toBe(dataDir);
  });
});
