import { afterAll, expect, test } from 'vitest';
import { readDocument, type Operation } from '../testing/openapi.ts';
import { must, reviewUpToTheLastWord } from '../testing/review.ts';
import { NO_LIMITS, removeDataDir, runCommand, spawnServer, temporaryDataDir } from '../testing/server.ts';

const folder = temporaryDataDir();
afterAll(() => removeDataDir(folder));

test('what the routes answer about a fleet that worked is as the document says', async () => {
  const server = spawnServer(folder, { env: NO_LIMITS });
  const url = await server.ready();
  const here = ['--data-dir', folder, '--json'];
  const made = await runCommand(['operator', 'create', '--name', 'ada', '--scope', 'act', ...here]);
  const { secret } = JSON.parse(made.stdout) as { secret: string };
  const operator = { authorization: `Bearer ${secret}` };

  // Something of everything: claims with their results, a pause, a review under way and one that is done, a flag that was set.
  const done = await reviewUpToTheLastWord(url, operator);
  await done.agree();
  const { paused, reviewId, peer } = await reviewUpToTheLastWord(url, operator);
  const pause = { action: 'pause', target_agent_id: peer.agentId, reason: 'A look at it.' };
  await must(url, 'agent', pause, operator);
  const flag = ['--reason', 'a trial', '--data-dir', folder];
  expect((await runCommand(['flags', 'set', 'ipua_pin_check_mode', 'observe', ...flag])).code).toBe(0);

  /** What a route does not answer without. */
  const QUERIES: Readonly<Record<string, string>> = { '/v1/metrics/series': '?name=tokens.total' };
  const document = await readDocument(url);
  const ask = (operation: Operation, id = 'none') =>
    fetch(`${url}${operation.path.replace('{id}', id).replace('{path}', 'agents')}${QUERIES[operation.path] ?? ''}`, {
      method: operation.method,
      headers: operator,
      redirect: 'manual',
    });
  for (const operation of document.operations.filter(({ method }) => method === 'GET')) {
    const { path } = operation;
    const ids = path.startsWith('/api/reviews/') ? [reviewId, done.reviewId] : [paused.agentId, done.paused.agentId];
    for (const id of path.includes('{id}') ? ids : ['']) {
      const answer = await ask(operation, id);
      if (!path.startsWith('/mcp') && !path.startsWith('/ws')) expect(answer.status, path).toBe(200);
      await document.expectDescribed(operation, answer);
    }
    await document.expectDescribed(operation, await ask(operation));
  }

  // The calls above are ones that it describes, and one of a tool that there is not, is none.
  const { requestBody } = document.operations.find(({ path }) => path === '/v1/tools/call') ?? {};
  const call = requestBody?.content?.['application/json']?.schema ?? {};
  expect(document.problemWith(call, { name: 'agent', arguments: pause })).toBeUndefined();
  expect(document.problemWith(call, { name: 'agent', arguments: { ...pause, action: 'dance' } })).toBeDefined();
  expect(document.problemWith(call, { name: 'no_such_tool', arguments: {} })).toBeDefined();
  await server.stop();
});
