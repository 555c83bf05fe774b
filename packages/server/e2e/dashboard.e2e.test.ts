import { readFileSync } from 'node:fs';
import { afterAll, expect, test } from 'vitest';
import { connectMcp } from '../testing/mcp.ts';
import { callTool, onboard } from '../testing/rest.ts';
import { removeDataDir, spawnServer, temporaryDataDir } from '../testing/server.ts';
import { verifies } from '../testing/verifies.ts';

const folder = temporaryDataDir();
afterAll(() => removeDataDir(folder));

interface Panel {
  readonly title: string;
  readonly type: string;
  readonly targets?: readonly { readonly expr: string }[];
}
const dashboard = JSON.parse(
  readFileSync(new URL('../../../deploy/grafana/breakwater.json', import.meta.url), 'utf8'),
) as { readonly panels: readonly Panel[] };

/** Words of PromQL that stand where a series could. */
const WORDS = new Set(['by', 'without', 'and', 'or', 'unless', 'bool', 'offset', 'on', 'ignoring']);

/** The series that an expression reads, and the labels by which it chooses and sums, each with its series. */
const readOf = (expr: string): { readonly names: string[]; readonly labels: string[] } => {
  const labels = [
    ...[...expr.matchAll(/\b(?:by|without) \(([^)]*)\)/g)].flatMap(([, list = '']) => list.split(',')),
    ...[...expr.matchAll(/[{,](\w+)[=!]~?"/g)].map(([, label = '']) => label),
  ].map((label) => label.trim());
  const bare = expr
    .replaceAll(/"[^"]*"/g, '')
    .replaceAll(/\{[^}]*\}/g, ' ')
    .replaceAll(/\[[^\]]*\]/g, ' ')
    .replaceAll(/\b(?:by|without) \([^)]*\)/g, ' ');
  const names = [...bare.matchAll(/\b([a-zA-Z_:][\w:]*)\b(?!\s*\()/g)].map(([, name = '']) => name);
  return { names: names.filter((name) => !WORDS.has(name)), labels };
};

test('every series of the dashboard is one that a server exposes, with the labels that it is asked for by', async () => {
  verifies('BW-serve.09');
  const server = spawnServer(folder);
  const url = await server.ready();
  const { secret } = await onboard(url, 'Ada');
  await callTool(url, 'sync_state', { client_session_id: secret, response_text: 'One piece.', confidence: 0.7 });
  await callTool(url, 'no_such_tool', {});
  const mcp = await connectMcp(url, '2025');
  await mcp.close();
  const text = await (await fetch(`${url}/metrics`)).text();
  const exposed = new Map<string, Set<string>>();
  for (const line of text.split('\n')) {
    const [, name, labels = ''] = /^([a-zA-Z_]\w*)(?:\{(.*)\})? /.exec(line) ?? [];
    if (name === undefined) continue;
    const known = exposed.get(name) ?? new Set(['job', 'instance']);
    for (const [, label = ''] of labels.matchAll(/(\w+)="/g)) known.add(label);
    exposed.set(name, known);
  }
  const expressions = dashboard.panels.flatMap(({ title, targets = [] }) =>
    targets.map(({ expr }) => ({ title, expr })),
  );
  expect(expressions.length).toBeGreaterThan(30);
  for (const { title, expr } of expressions) {
    const { names, labels } = readOf(expr);
    expect(names, title).not.toEqual([]);
    for (const name of names) {
      expect([...exposed.keys()], `${title}: ${expr}`).toContain(name);
      for (const label of labels) expect([...(exposed.get(name) ?? [])], `${title}: ${expr}`).toContain(label);
    }
  }
  const series = (line: string) =>
    Number(
      text
        .split('\n')
        .find((one) => one.startsWith(`${line} `))
        ?.split(' ')[1],
    );
  expect(series('breakwater_checkins_total{verdict="proceed"}')).toBe(1);
  expect(series('breakwater_checkins_total{verdict="pause"}')).toBe(0);
  expect(series('breakwater_agents{status="active"}')).toBe(1);
  expect(series('breakwater_open_work{kind="review"}')).toBe(0);
  expect(series('breakwater_feed_events_total{type="lifecycle_created"}')).toBe(1);
  await server.stop();
});

test('panels have names of their own and say what they read', () => {
  const drawn = dashboard.panels.filter(({ type }) => type !== 'row');
  expect(new Set(drawn.map(({ title }) => title)).size).toBe(drawn.length);
  for (const { title, targets = [] } of drawn) expect(targets.length, title).toBeGreaterThan(0);
});
