import { configOf } from './config.ts';
import { fail } from './fail.ts';
import { startNode, type RunningNode } from './start-node.ts';
import type { Config, SettingName } from './settings.ts';
import { say } from './output.ts';

/** What a person needs to know who has just started the server. */
const banner = (node: RunningNode, config: Config, signIn: string | undefined): string => {
  const token = config.tokens.length > 0 ? ' --header "Authorization: Bearer <token>"' : '';
  return [
    '',
    `Breakwater is ready at ${node.url}  (${Math.round(node.readyMs)} ms)`,
    '',
    '  Connect an agent',
    `    Claude Code   claude mcp add --transport http breakwater ${node.url}/mcp/${token}`,
    `    MCP           ${node.url}/mcp/`,
    `    REST          POST ${node.url}/v1/tools/call  {"name": "start_session", "arguments": {}}`,
    '',
    signIn === undefined
      ? `  Console         ${node.url}/dashboard/   (sign in with: npm run breakwater -- console)`
      : `  Console         ${signIn}`,
    `  Watch           ${node.url}/health   ${node.url}/metrics`,
    '  See it work     npm run fleet   (in another terminal)',
    '',
    node.embeddedIn === undefined
      ? '  Database        yours, by DATABASE_URL'
      : `  Database        embedded PostgreSQL in ${node.embeddedIn}\n` +
        '                  Good for one machine. Back it up, or set DATABASE_URL for a server of your own.',
    '',
  ].join('\n');
};

/** The link that signs in; undefined when PostgreSQL has gone meanwhile: the server runs on without it. */
const linkOf = (node: RunningNode): Promise<string | undefined> =>
  node.signIn().then(
    ({ link }) => link,
    () => undefined,
  );

/** Some supervisors send a signal to the process and to its group: a repeat within this time is the same wish. */
const IMPATIENT_AFTER_MS = 1_000;

/**
 * Runs the server until SIGTERM or SIGINT, also when one comes while it starts; a later second signal ends it at once.
 */
export const serve = async (flags: Partial<Record<SettingName, string>>): Promise<void> => {
  const config = configOf(flags);
  const end = new AbortController();
  let endingSince: number | undefined;
  const onSignal = (): void => {
    if (endingSince === undefined) {
      endingSince = performance.now();
      end.abort();
    } else if (performance.now() - endingSince > IMPATIENT_AFTER_MS) {
      // Whoever asks again does not want to wait for the drain.
      process.exit(1);
    }
  };
  process.on('SIGTERM', onSignal);
  process.on('SIGINT', onSignal);
  let node: RunningNode;
  try {
    node = await startNode(config, process.env, end.signal);
  } catch (error) {
    // Giving up on request is an orderly end, whatever part was told so.
    if (end.signal.aborted) process.exit(0);
    fail(error);
    // Every part that had started was told to stop; what still hangs must not keep a refused server alive (BW-nodes.05).
    process.exit();
  }
  const stop = (): void => void node.stop().then(() => process.exit(0), fail);
  if (end.signal.aborted) {
    stop();
    return;
  }
  end.signal.addEventListener('abort', stop, { once: true });
  void node.failed.then(async (error) => {
    fail(error);
    await node.stop();
    process.exit();
  });
  // Whoever sits at the terminal is signed in by the link. Elsewhere the banner ends in a log, where no secret may stand.
  const signIn = process.stdout.isTTY ? await linkOf(node) : undefined;
  say(banner(node, config, signIn));
};
