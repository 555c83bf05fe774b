import { runCommand } from '../../server/testing/server.ts';

/** The link that signs in to the console of the server that runs on this data directory. */
export const signInLink = async (dataDir: string, url: string, ...more: readonly string[]): Promise<string> => {
  const made = await runCommand(['console', '--data-dir', dataDir, '--url', url, '--json', ...more]);
  if (made.code !== 0) throw new Error(made.stderr);
  return (JSON.parse(made.stdout) as { link: string }).link;
};
