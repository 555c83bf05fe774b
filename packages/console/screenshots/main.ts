/**
 * `npm run screenshots`: pictures of every page of the console in docs/console, of a server of its own whose agents have
 * really done what they show.
 */
import { mkdirSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { NO_LIMITS, removeDataDir, runCommand, spawnServer, temporaryDataDir } from '../../server/testing/server.ts';
import { launchBrowser } from '../testing/browser.ts';
import { signInLink } from '../testing/console.ts';
import { driftsUntilPaused, newAgent, worksHonestly, type TestAgent } from '../testing/fleet.ts';

const OUT = fileURLToPath(new URL('../../../docs/console/', import.meta.url));
const NAMES = [
  'Importer',
  'Invoice clerk',
  'Log reader',
  'Release notes',
  'Test mender',
  'Docs gardener',
  'Query tuner',
];
const CONDITIONS = ['Set complexity to 0.4', 'Monitor for 24 hours'];

const asksForReview = (agent: TestAgent) =>
  agent.call('request_review', {
    reviewer_mode: 'manual',
    reason: 'My tests were red, and I said green.',
    root_cause: 'I reported my pieces as done before their tests had run.',
    proposed_conditions: CONDITIONS,
  });

/** A fleet at work: one agent paused, one waiting for a reviewer, one back under conditions, and what they found out. */
const fleet = async (
  url: string,
  dataDir: string,
): Promise<{ readonly reviewed: TestAgent; readonly reviewId: string }> => {
  const operator = async (...args: readonly string[]): Promise<void> => {
    const env = { BREAKWATER_URL: url, BREAKWATER_DATA_DIR: dataDir };
    const { code, stderr } = await runCommand(args, { env });
    if (code !== 0) throw new Error(stderr);
  };
  const workers: TestAgent[] = [];
  for (const name of NAMES) {
    const agent = await newAgent(url, name);
    await worksHonestly(agent, 12);
    workers.push(agent);
  }
  const [importer, clerk, reader] = workers;
  if (importer === undefined || clerk === undefined || reader === undefined) throw new Error('no fleet');
  await importer.call('knowledge', {
    action: 'store',
    summary: 'The importer drops rows whose date is before 1970',
    discovery_type: 'bug_found',
    severity: 'high',
    tags: ['importer', 'dates'],
    details: 'src/importer/reader.ts parses seconds as unsigned.',
  });
  await clerk.call('knowledge', {
    action: 'store',
    summary: 'Invoices with more than two taxes: round the total, not each tax',
    discovery_type: 'learning',
    severity: 'medium',
    tags: ['invoices', 'rounding'],
  });
  await reader.call('knowledge', { action: 'note', summary: 'Lines without a request id come from the nightly job' });

  const reviewed = await newAgent(url, 'Refactorer');
  await driftsUntilPaused(reviewed);
  const { session_id } = await asksForReview(reviewed);
  await operator(
    'reviews',
    'assign',
    String(session_id),
    '--reviewer',
    reader.agentId,
    '--reason',
    'It knows this code',
  );
  await reader.call('submit_antithesis', { session_id, reasoning: 'Eight pieces were wrong; 0.4 is too much.' });
  const said = { session_id, proposed_conditions: ['Set complexity to 0.3', 'Monitor for 24 hours'] };
  await reader.call('submit_synthesis', {
    ...said,
    agrees: false,
    reasoning: 'Smaller pieces, until the results follow.',
  });
  await reviewed.call('submit_synthesis', { ...said, agrees: false, reasoning: 'I take that over.' });
  await reader.call('submit_synthesis', { ...said, agrees: true, reasoning: 'Then go on.' });
  await operator('reviews', 'confirm', String(session_id), '--reason', 'The tests run first now');

  await driftsUntilPaused(await newAgent(url, 'Migration bot'));
  const waiting = await newAgent(url, 'Schema keeper');
  await driftsUntilPaused(waiting);
  await asksForReview(waiting);
  return { reviewed, reviewId: String(session_id) };
};

const shoot = async (dataDir: string, url: string): Promise<void> => {
  const { reviewed, reviewId } = await fleet(url, dataDir);
  const pages = [
    ['now', '/'],
    ['agents', '/agents'],
    ['agent', `/agents/${reviewed.agentId}`],
    ['reviews', '/reviews'],
    ['review', `/reviews/${reviewId}`],
    ['knowledge', '/knowledge'],
    ['calibration', '/calibration'],
    ['channel', '/channel'],
    ['flags', '/flags'],
    ['system', '/system'],
  ] as const;
  const browser = await launchBrowser();
  const take = async (theme: 'light' | 'dark', width: number, suffix: string, which: readonly string[]) => {
    const context = await browser.newContext({ colorScheme: theme, viewport: { width, height: 860 } });
    const page = await context.newPage();
    await page.goto(await signInLink(dataDir, url));
    await page.getByText('Live', { exact: true }).waitFor();
    for (const [name, path] of pages.filter(([name]) => which.includes(name))) {
      await page.goto(`${url}/dashboard${path}`);
      await page
        .getByRole('heading', { level: 2 })
        .or(page.getByRole('table'))
        .or(page.getByRole('list', { name: 'Findings' }))
        .first()
        .waitFor();
      await page.waitForLoadState('networkidle');
      // What is far down would make the picture unreadable; the beginning of a page says what it is.
      const height = Math.min(1500, Number(await page.evaluate('document.documentElement.scrollHeight')));
      await page.setViewportSize({ width, height });
      await page.screenshot({ path: `${OUT}${name}${suffix}.png` });
      await page.setViewportSize({ width, height: 860 });
    }
    await context.close();
  };
  try {
    await take(
      'light',
      1280,
      '',
      pages.map(([name]) => name),
    );
    await take('dark', 1280, '-dark', ['now', 'agent']);
    await take('light', 380, '-phone', ['now', 'agents']);
  } finally {
    await browser.close();
  }
};

mkdirSync(OUT, { recursive: true });
const dataDir = temporaryDataDir();
try {
  const server = spawnServer(dataDir, { env: NO_LIMITS });
  await shoot(dataDir, await server.ready());
} finally {
  await removeDataDir(dataDir);
}
