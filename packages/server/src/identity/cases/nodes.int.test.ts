import { expect, onTestFinished, test, vi } from 'vitest';
import { callsOf, dispatcherOf, onboard } from '../../../testing/calls.ts';
import { testDatabase } from '../../../testing/database.ts';
import { testNode } from '../../../testing/node.ts';
import { verifies } from '../../../testing/verifies.ts';
import type { Database } from '../../postgres/index.ts';

test('a session that is revoked on one node is refused by the others at once', async () => {
  verifies('BW-identity.05');
  const db = await testDatabase();
  const start = async (nodeId: string, database: Database) => {
    const node = await testNode(database, { nodeId, listen: true });
    onTestFinished(() => node.stop());
    return callsOf(dispatcherOf(node, database));
  };
  const one = await start('one', db.database);
  const two = await start('two', db.open());
  const { secret } = await onboard(one);
  const proof = { client_session_id: secret };
  await vi.waitFor(async () => expect((await two('identity', proof)).code).toBeUndefined(), { timeout: 10_000 });
  expect((await one('identity', { ...proof, revoke: 'this' })).body).toMatchObject({ revoked: 1 });
  // No job reads the table again here: only the announcement can have told the other node.
  await vi.waitFor(async () => expect((await two('identity', proof)).code).toBe('SESSION_UNKNOWN'), {
    timeout: 10_000,
  });
});
