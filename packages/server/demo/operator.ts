import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';

const MAIN = fileURLToPath(new URL('../src/cli/main.ts', import.meta.url));

/** The demonstration may not act as an operator of this server; the message says why. */
export class NoOperator extends Error {}

/** What a person at the command line does. */
export interface Operator {
  /** Runs `breakwater <args>`; rejects with what it said when it fails. */
  run(...args: readonly string[]): Promise<void>;
}

/**
 * An operator of the server at `url`, by the command line like any other: on the server's own machine the command makes itself
 * a credential in its database and gives it back; from elsewhere BREAKWATER_OPERATOR holds one.
 */
export const operatorAt = (url: string, dataDir?: string): Operator => ({
  async run(...args) {
    const child = spawn(process.execPath, [MAIN, ...args], {
      stdio: ['ignore', 'ignore', 'pipe'],
      env: { ...process.env, BREAKWATER_URL: url, ...(dataDir !== undefined && { BREAKWATER_DATA_DIR: dataDir }) },
    });
    let wrong = '';
    child.stderr.setEncoding('utf8').on('data', (text: string) => (wrong += text));
    const [code] = (await once(child, 'close')) as [number | null];
    if (code !== 0) throw new NoOperator(`breakwater ${args.join(' ')}\n${wrong.trim()}`);
  },
});
