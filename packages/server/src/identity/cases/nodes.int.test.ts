import { expect, onTestFinished, test, vi } from 'vitest';
import { callsOf, dispatcherOf, onboard } from '../../../testing/calls.ts';
import { testDatabase } from '../../../testing/database.ts';
import { testNode } from '../../../testing/node.ts';
import { verifies } from '../../../testing/verifies.ts';
import type { Database } from '../../postgres/index.ts';
import { credentialHash } from '../binding.ts';

test('a session that is revoked on one node is refused by the others at once', async () => {
  verifies('BW-identity.05');
  const db = await testDatabase();
  const start = async (nodeId: string, database: Database) => {
    const node = await testNode(database, { nodeId, listen: true });
    onTestFinished(() => node.stop());
    return { call: callsOf(dispatcherOf(node, database)), bindings: node.bindings };
  };
  const one = await start('one', db.database);
  const two = await start('two', db.open());
  const { secret } = await onboard(one.call);
  const proof = { client_session_id: secret };
  // The news of its making must have come and gone: later, it would bring the revocation with it.
  await vi.waitFor(() => expect(two.bindings.read(credentialHash(secret)).ok).toBe(true), { timeout: 10_000 });
  expect((await two.call('identity', proof)).code).toBeUndefined();
  expect((await one.call('identity', { ...proof, revoke: 'this' })).body).toMatchObject({ revoked: 1 });
  // No call and no job reads the row here, as its use would: only the announcement can have told the other node.
  await vi.waitFor(() => expect(two.bindings.read(credentialHash(secret)).ok).toBe(false), { timeout: 10_000 });
  expect((await two.call('identity', proof)).code).toBe('SESSION_UNKNOWN');
});
