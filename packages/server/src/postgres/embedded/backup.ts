import { chown, copyFile, mkdir, open, readdir, rename, rm, stat, statfs, writeFile } from 'node:fs/promises';
import { existsSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { openDatabase } from '../connect.ts';
import type { Connection } from '../database.ts';
import { StartupError } from '../startup-error.ts';
import { borrowEmbedded } from './borrow.ts';
import { folderError } from './folders.ts';

/** How far a backup has come. */
export interface BackupProgress {
  readonly files: number;
  readonly ofFiles: number;
  readonly bytes: number;
}

/** What a backup holds. */
export interface Backup {
  /** A data directory: a server can be started on it as it is. */
  readonly dataDir: string;
  readonly files: number;
  readonly bytes: number;
}

/** Folders whose content belongs to the running PostgreSQL alone, or is copied after everything else. */
const LEFT_EMPTY: ReadonlySet<string> = new Set([
  'pg_wal',
  'pg_replslot',
  'pg_dynshmem',
  'pg_notify',
  'pg_serial',
  'pg_snapshots',
  'pg_stat_tmp',
  'pg_subtrans',
]);
const LEFT_OUT = /^(postmaster\.(pid|opts)|pg_internal\.init.*|pgsql_tmp.*|backup_label|tablespace_map)$/;
const WAL_SEGMENT = /^[0-9A-F]{24}$|\.history$/;
/** Beyond what is copied, so that the server on the same disk is not the one that finds it full. */
const SPARE_BYTES = 64 * 1024 * 1024;

interface Entry {
  readonly path: string;
  readonly isFolder: boolean;
}

const walk = async (root: string, below = ''): Promise<Entry[]> => {
  const found: Entry[] = [];
  for (const entry of await readdir(join(root, below), { withFileTypes: true })) {
    if (LEFT_OUT.test(entry.name)) continue;
    const path = join(below, entry.name);
    found.push({ path, isFolder: entry.isDirectory() });
    if (entry.isDirectory() && !LEFT_EMPTY.has(path)) found.push(...(await walk(root, path)));
  }
  return found;
};

const isGone = (error: unknown): boolean => (error as NodeJS.ErrnoException).code === 'ENOENT';

/** Copies a file with its owner; gives its size. One that PostgreSQL has removed meanwhile is none: 0. */
const copy = async (from: string, to: string): Promise<number> => {
  try {
    await copyFile(from, to);
  } catch (error) {
    if (isGone(error)) return 0;
    throw error;
  }
  const { size } = await keepOwner(from, to);
  const file = await open(to, 'r');
  await file.sync();
  await file.close();
  return size;
};

const keepOwner = async (from: string, to: string): Promise<{ size: number }> => {
  const { uid, gid, size } = await stat(from).catch(() => stat(to));
  // Only root may give files away; everybody else owns both.
  if (process.getuid?.() === 0) await chown(to, uid, gid);
  return { size };
};

const enoughRoom = async (data: string, out: string): Promise<void> => {
  let needed = SPARE_BYTES;
  for (const { path, isFolder } of await walk(data)) {
    if (!isFolder)
      needed += await stat(join(data, path)).then(
        ({ size }) => size,
        () => 0,
      );
  }
  const { bavail, bsize } = await statfs(dirname(out));
  if (bavail * bsize >= needed) return;
  throw new StartupError(
    `The backup needs ${Math.ceil(needed / 2 ** 20)} MB, and the disk of ${dirname(out)} has ${Math.floor((bavail * bsize) / 2 ** 20)}.`,
    'Free some space, or name another folder with --out.',
  );
};

/** Copies a cluster that goes on working; `session` is the one in which the backup begins and ends. */
const copyCluster = async (
  session: Connection,
  data: string,
  to: string,
  onProgress: (progress: BackupProgress) => void,
): Promise<{ files: number; bytes: number }> => {
  // The slot ends with the session, whatever happens; until then no log that the copy needs is recycled.
  await session.query({ text: `SELECT pg_create_physical_replication_slot('breakwater_backup', true, true)` });
  await session.query({ text: `SELECT pg_backup_start('breakwater', fast => true)` });
  const entries = await walk(data);
  const ofFiles = entries.length;
  let [files, bytes] = [0, 0];
  await mkdir(to, { mode: 0o700 });
  await keepOwner(data, to);
  for (const { path, isFolder } of entries) {
    if (isFolder) {
      await mkdir(join(to, path), { mode: 0o700 });
      await keepOwner(join(data, path), join(to, path));
    } else bytes += await copy(join(data, path), join(to, path));
    files += 1;
    onProgress({ files, ofFiles, bytes });
  }
  const [label] = await session.query<{ labelfile: string }>({ text: 'SELECT labelfile FROM pg_backup_stop(false)' });
  if (label === undefined) throw new Error('a backup without a label');
  const labelPath = join(to, 'backup_label');
  await writeFile(labelPath, label.labelfile, { mode: 0o600 });
  await keepOwner(join(data, 'PG_VERSION'), labelPath);
  // Last, so that it reaches up to the end of the backup.
  for (const name of (await readdir(join(data, 'pg_wal'))).filter((one) => WAL_SEGMENT.test(one))) {
    bytes += await copy(join(data, 'pg_wal', name), join(to, 'pg_wal', name));
    files += 1;
  }
  return { files, bytes };
};

/**
 * Backs up the PostgreSQL of a data folder into a new one, while a server works on it or not. Whatever was acknowledged
 * before the call is in it, and nothing is there in half. It is opened once before it gets its name, which proves that a
 * server can start on it. Rejects with a {@link StartupError}.
 */
export const backupEmbedded = async (options: {
  dataDir: string;
  /** The new folder; it must not exist. */
  out: string;
  onProgress?: (progress: BackupProgress) => void;
}): Promise<Backup> => {
  const out = resolve(options.out);
  if (existsSync(out)) {
    throw new StartupError(
      `${out} exists already.`,
      'Name a folder that does not; a backup never writes over anything.',
    );
  }
  const making = `${out}.partial`;
  const source = await borrowEmbedded({ dataDir: options.dataDir });
  try {
    await rm(making, { recursive: true, force: true });
    await mkdir(making, { recursive: true, mode: 0o755 });
    await enoughRoom(join(source.dataDir, 'pg'), out);
    const database = openDatabase({ target: source.target, onError: () => undefined });
    const session = await database.connect();
    let copied: { files: number; bytes: number };
    try {
      copied = await copyCluster(
        session,
        join(source.dataDir, 'pg'),
        join(making, 'pg'),
        options.onProgress ?? (() => undefined),
      );
    } finally {
      await session.close();
      await database.close();
    }
    // What PostgreSQL cannot open is no backup; and it need not be mended when it is needed.
    const opened = await borrowEmbedded({ dataDir: making });
    const check = openDatabase({ target: opened.target, onError: () => undefined });
    try {
      await check.query({ text: 'SELECT 1' });
    } finally {
      await check.close();
      await opened.end();
    }
    await rename(making, out);
    return { dataDir: out, ...copied };
  } catch (error) {
    await rm(making, { recursive: true, force: true });
    throw error instanceof StartupError || (error as NodeJS.ErrnoException).syscall === undefined
      ? error
      : folderError(dirname(out), error);
  } finally {
    await source.end();
  }
};
