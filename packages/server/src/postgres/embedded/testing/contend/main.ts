/**
 * A program for tests: takes one lock again and again, against others of its kind, and ends every second turn as a process
 * that died with it would. Writes as JSON how often it had the lock, and how often it found somebody else who had it, too.
 */
import { readFileSync, rmSync, writeFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { lockFolder } from '../../lock.ts';

const [path, turns] = process.argv.slice(2);
if (path === undefined || turns === undefined) throw new Error('usage: main.ts <lock> <turns>');
const DEAD = `${process.pid} 1 server`;
const PATIENCE_MS = 60_000;

/** Whether nobody else has the lock, from its taking until a moment later. */
const isAlone = async (): Promise<boolean> => {
  const held = `${path}-held`;
  try {
    writeFileSync(held, '', { flag: 'wx' });
    // Time for the others to err.
    await sleep(1);
    rmSync(held);
    return readFileSync(path, 'utf8').startsWith(`${process.pid} `);
  } catch {
    return false;
  }
};

const result = { held: 0, shared: 0 };
for (let turn = 0; turn < Number(turns); turn += 1) {
  const release = await lockFolder(path, 'command', PATIENCE_MS);
  if (await isAlone()) result.held += 1;
  else result.shared += 1;
  if (turn % 2 === 0) release();
  else writeFileSync(path, DEAD);
}
process.stdout.write(JSON.stringify(result));
