import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { expect, it } from 'vitest';

const COMMANDS = fileURLToPath(new URL('../packages/server/src/cli/commands.ts', import.meta.url));

/** Makes the program with one command alone, as it is made when somebody types that command, and prints who loaded Zod. */
const script = `
  import { registerHooks } from 'node:module';
  const loaders = new Set();
  registerHooks({
    resolve(specifier, context, next) {
      if (specifier === 'zod') loaders.add(context.parentURL);
      return next(specifier, context);
    },
  });
  const { createProgram } = await import(${JSON.stringify(COMMANDS)});
  await createProgram(process.argv[1]);
  console.log(JSON.stringify([...loaders]));
`;

it.each(['status', 'doctor', 'agents', 'reviews', 'db', 'flags', 'operator', 'audit'])(
  '%s starts without the schemas of tools and routes: they would cost it more than its work',
  { timeout: 30_000 },
  async (command) => {
    const asked = ['--input-type=module', '--eval', script, command];
    const { stdout } = await promisify(execFile)(process.execPath, asked);
    expect(JSON.parse(stdout)).toEqual([]);
  },
);
