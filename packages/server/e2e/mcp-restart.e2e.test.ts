import { afterAll, expect, test } from 'vitest';
import { connectMcp, GENERATIONS } from '../testing/mcp.ts';
import { freePort, removeDataDir, spawnServer, temporaryDataDir } from '../testing/server.ts';
import { verifies } from '../testing/verifies.ts';

const folder = temporaryDataDir();
afterAll(() => removeDataDir(folder));

test.each(GENERATIONS)('an MCP client of %s goes on after a crash and restart of the server', async (generation) => {
  verifies('BW-serve.05');
  const port = await freePort();
  const first = spawnServer(folder, { port });
  const client = await connectMcp(await first.ready(), generation);
  const { result: born } = await client.call('start_session', { name: 'Ada' });
  const client_session_id = born['client_session_id'];
  expect((await client.call('sync_state', { client_session_id })).result).toMatchObject({ success: true, update: 1 });
  await first.kill();

  const second = spawnServer(folder, { port });
  const url = await second.ready();
  try {
    // The same client object, no new connection, no new session.
    const { result } = await client.call('sync_state', { client_session_id });
    expect(result).toMatchObject({ success: true, update: 2 });

    const unknown = await fetch(`${url}/mcp/`, {
      method: 'POST',
      headers: {
        'content-type': 'application/json',
        accept: 'application/json, text/event-stream',
        'mcp-session-id': 'x'.repeat(43),
      },
      body: JSON.stringify({ jsonrpc: '2.0', id: 1, method: 'tools/list' }),
    });
    expect(unknown.status, 'an unknown session is 404, so that a client initialises anew').toBe(404);
  } finally {
    await client.close();
    await second.stop();
  }
});
