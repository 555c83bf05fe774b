import { afterAll, expect, test } from 'vitest';
import { watch, type FeedMessage } from '../src/serve/testing/watcher.ts';
import { callTool, onboard, type Json } from '../testing/rest.ts';
import { NO_LIMITS, removeDataDir, runCommand, spawnServer, temporaryDataDir } from '../testing/server.ts';
import { verifies } from '../testing/verifies.ts';

const folder = temporaryDataDir();
afterAll(() => removeDataDir(folder));

const events = async (url: string, query = '', headers: Record<string, string> = {}): Promise<Json> =>
  (await (await fetch(`${url}/api/events${query}`, { headers })).json()) as Json;
const listed = (answer: Json) => answer['events'] as readonly FeedMessage[];
const sync = (url: string, secret: string, text: string) =>
  callTool(url, 'sync_state', { client_session_id: secret, response_text: text, confidence: 0.8 });

test('two who watch see a check-in, each as much as they may; who was away gets the rest by its cursor, over a restart', async () => {
  verifies('BW-serve.11', 'BW-identity.14');
  const first = spawnServer(folder, { env: NO_LIMITS });
  const url = await first.ready();
  const made = await runCommand(['operator', 'create', '--data-dir', folder, '--name', 'ann', '--json']);
  const operator = { 'x-breakwater-operator': (JSON.parse(made.stdout) as { secret: string }).secret };
  const ada = await onboard(url, 'Ada');
  const [plain, seeing] = [await watch(url), await watch(url, { headers: operator })];
  const bob = await onboard(url, 'Bob');
  await sync(url, ada.secret, 'One piece of work.');
  await sync(url, bob.secret, 'Another piece of work.');

  const isUpdateOf = (name: string) => (message: FeedMessage) =>
    message['type'] === 'eisv_update' && message['agent_name'] === name;
  expect(await seeing.next(isUpdateOf('Ada'))).toMatchObject({
    agent_id: ada.agentId,
    detail: 'full',
    update: 1,
    verdict: 'proceed',
    decision: { action: 'proceed' },
    inputs: { confidence: 0.8 },
    eisv_telemetry: { schema: 'eisv.telemetry.v1' },
  });
  await seeing.next(isUpdateOf('Bob'));
  const redacted = await plain.next(isUpdateOf('Ada'));
  expect(redacted['agent_id']).toMatch(/^agent-redacted-/);
  await plain.next(isUpdateOf('Bob'));
  expect(await plain.next(({ type }) => type === 'lifecycle_created')).toMatchObject({ agent_name: 'Bob' });
  const said = JSON.stringify([plain.messages, await events(url)]);
  for (const { agentId } of [ada, bob]) expect(said).not.toContain(agentId);

  const read = await events(url, '', operator);
  expect(listed(read).map(({ type, agent_id }) => [type, agent_id])).toEqual([
    ['lifecycle_created', ada.agentId],
    ['lifecycle_created', bob.agentId],
  ]);
  const eve = await onboard(url, 'Eve');
  const missed = listed(await events(url, `?since=${String(read['cursor'])}`, operator));
  expect(missed).toMatchObject([{ type: 'lifecycle_created', agent_id: eve.agentId }]);

  await first.kill();
  expect((await plain.closed).code, 'nobody said goodbye').toBe(1006);
  const second = spawnServer(folder, { env: NO_LIMITS });
  const again = await second.ready();
  const since = `?since=${String(read['cursor'])}`;
  const after = await events(again, since, operator);
  const news = listed(after).filter(({ key }) => !listed(read).some((known) => known['key'] === key));
  expect(news.map(({ key }) => key)).toEqual(missed.map(({ key }) => key));
  expect(after).toMatchObject({ gap: null, restarted: true, has_more: false });

  const back = await watch(again, { query: since, headers: operator });
  expect(back.messages.map(({ key }) => key)).toContain(missed[0]?.['key']);
  const dan = await onboard(again, 'Dan');
  expect(await back.next(({ agent_id }) => agent_id === dan.agentId)).toMatchObject({ type: 'lifecycle_created' });
  const next = await events(again, `?since=${String(after['cursor'])}`, operator);
  expect(listed(next).map(({ agent_id }) => agent_id)).toEqual([dan.agentId]);
  expect(await second.stop()).toMatchObject({ code: 0 });
  expect(await back.closed).toEqual({ code: 1001, reason: 'the server is stopping' });
  expect(second.stderr()).toBe('');
});
