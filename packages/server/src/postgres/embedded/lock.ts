import { readFileSync, rmSync, writeFileSync } from 'node:fs';
import { StartupError } from '../startup-error.ts';

/** When a process began, in clock ticks since boot: a reused process id has another. */
const startOf = (pid: number): string | undefined => {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
    return stat.slice(stat.lastIndexOf(')') + 2).split(' ')[19];
  } catch {
    return undefined;
  }
};

/** Whether a process with this id exists. */
export const isAlive = (pid: number): boolean => {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM';
  }
};

/**
 * Takes the data folder for this process: two servers that both start and stop one PostgreSQL would stop it under each
 * other. A lock left by a dead process is taken over. Returns the release.
 */
export const lockFolder = (path: string): (() => void) => {
  const own = `${process.pid} ${startOf(process.pid) ?? ''}`;
  for (let attempt = 0; attempt < 2; attempt += 1) {
    try {
      writeFileSync(path, own, { flag: 'wx' });
      return () => rmSync(path, { force: true });
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
    }
    const [pidText, start] = readFileSync(path, 'utf8').split(' ');
    const pid = Number(pidText);
    if (Number.isInteger(pid) && pid > 0 && isAlive(pid) && (startOf(pid) ?? '') === start) {
      throw new StartupError(
        `Another Breakwater server (process ${pid}) uses this data directory.`,
        'Stop it, choose another BREAKWATER_DATA_DIR, or share one PostgreSQL between servers with DATABASE_URL.',
      );
    }
    rmSync(path, { force: true });
  }
  throw new StartupError('The data directory is being taken by another server.', 'Try again in a moment.');
};
