import { systemClock } from '../runtime/index.ts';
import { runStdio } from '../serve/index.ts';
import { configOf } from './config.ts';
import { serverPlace } from './server-url.ts';
import { TOKEN_VARIABLE } from './settings.ts';

/**
 * Bridges standard input and output to a server's MCP endpoint until the client closes them. The server is the one that every
 * other command would speak to, so that no agent reports to another fleet.
 */
export const stdio = async (server: string | undefined): Promise<void> => {
  const token = process.env[TOKEN_VARIABLE];
  await runStdio({
    url: serverPlace(server, configOf({}, 'command')).url,
    ...(token !== undefined && { token }),
    input: process.stdin,
    output: process.stdout,
    errors: process.stderr,
    clock: systemClock,
  });
};
