import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';
import { runCommand, temporaryDataDir, removeDataDir } from '../testing/server.ts';

const MAIN = fileURLToPath(new URL('../src/cli/main.ts', import.meta.url));

/** Runs a command whose standard output goes where the shell says. */
const into = (command: string, where: string) =>
  spawnSync('bash', ['-o', 'pipefail', '-c', `"$0" "$1" ${command} ${where}`, process.execPath, MAIN], {
    encoding: 'utf8',
  });

test
  .skipIf(!existsSync('/dev/full'))
  .each(['--help', '--version', 'completion bash', 'doctor --server http://127.0.0.1:1'])(
  '%s on a full disk says that its output was lost, and exits 1',
  (command) => {
    const { status, stderr } = into(command, '> /dev/full');
    expect(stderr).toContain('Standard output could not be written (ENOSPC).');
    expect(status).toBe(1);
  },
);

test('a reader that has had enough is no failure', () => {
  const { stderr } = into('completion bash', '| true');
  expect(stderr).toBe('');
});

test('a setting that is wrong on the command line is 64, in the environment 1', async () => {
  const folder = temporaryDataDir();
  try {
    const flagged = await runCommand(['serve', '--port', 'abc', '--data-dir', folder]);
    expect(flagged).toMatchObject({ code: 64 });
    expect(flagged.stderr).toContain('--port="abc" must be a whole number');
    const named = await runCommand(['serve', '--data-dir', folder], { env: { BREAKWATER_PORT: 'abc' } });
    expect(named).toMatchObject({ code: 1 });
  } finally {
    await removeDataDir(folder);
  }
});
