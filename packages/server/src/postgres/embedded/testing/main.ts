/**
 * A program for tests: starts the embedded PostgreSQL in the folder named by its argument, writes what it got as one line
 * of JSON, and stops it when its standard input ends. An error is written with its way out.
 */
import { openDatabase } from '../../connect.ts';
import { StartupError } from '../../startup-error.ts';
import { startEmbedded } from '../embedded.ts';

const [folder] = process.argv.slice(2);
if (folder === undefined) throw new Error('usage: main.ts <folder>');
const say = (value: unknown) => process.stdout.write(`${JSON.stringify(value)}\n`);

try {
  const server = await startEmbedded({ dataDir: folder, settings: { shared_buffers: '16MB' } });
  const database = openDatabase({ target: server.target, onError: () => undefined });
  await database.query({ text: 'CREATE TABLE IF NOT EXISTS starts (at timestamptz DEFAULT now())' });
  await database.query({ text: 'INSERT INTO starts DEFAULT VALUES' });
  const [row] = await database.query<{ starts: number }>({ text: 'SELECT count(*) AS starts FROM starts' });
  await database.close();
  const { pid, adopted, dataDir, target } = server;
  say({ pid, adopted, dataDir, socketDir: target.socketDir, starts: row?.starts });
  process.stdin.resume();
  process.stdin.on('end', () => void server.stop());
} catch (error) {
  if (!(error instanceof StartupError)) throw error;
  say({ error: error.message, wayOut: error.wayOut });
}
