import { systemClock } from '../runtime/index.ts';
import { runStdio } from '../serve/index.ts';

/** Bridges standard input and output to a server's MCP endpoint until the client closes them. */
export const stdio = async (url: string): Promise<void> => {
  const token = process.env['BREAKWATER_TOKEN'];
  await runStdio({
    url,
    ...(token !== undefined && { token }),
    input: process.stdin,
    output: process.stdout,
    errors: process.stderr,
    clock: systemClock,
  });
};
