import { FINDING_SEVERITIES, FINDING_STATUSES, FINDING_TYPES } from '@breakwater/contract';
import { Option, type Command } from 'commander';
import { numberOf, withPageFlags, type PageFlags } from './page-flags.ts';
import { instantText, printFacts, printTable } from './print.ts';
import { withServer, withServerFlags, type Remote, type ServerFlags } from './remote.ts';
import { tame } from './terminal.ts';
import { say } from './output.ts';

const MOST = 100;
/** What one answer tells of the details of a finding. */
const PIECE = 20_000;

/** A finding as the tool of knowledge tells it. */
interface Finding {
  readonly id: string;
  readonly type: string;
  readonly severity: string;
  readonly status: string;
  readonly summary: string;
  readonly tags: readonly string[];
  readonly by: string | null;
  readonly created_at: string;
}

interface FullFinding extends Finding {
  readonly updated_at: string | null;
  readonly references_files: readonly string[];
  readonly related_to: readonly string[];
}

const printFindings = (findings: readonly Finding[], none: string): void => {
  if (findings.length === 0) {
    say(none);
    return;
  }
  printTable(
    ['FINDING', 'TYPE', 'SEVERITY', 'STATUS', 'BY', 'TAGS', 'SUMMARY'],
    findings.map((one) => [
      one.id,
      one.type,
      one.severity,
      one.status,
      one.by ?? '-',
      one.tags.join(' ') || '-',
      one.summary,
    ]),
    ['FINDING', 'SUMMARY', 'TYPE', 'SEVERITY', 'STATUS', 'BY'],
  );
};

/** The whole text of a finding, which is told in pieces. */
const readWhole = async (remote: Remote, id: string): Promise<{ finding: FullFinding; details: string }> => {
  let details = '';
  // The server counts characters, not the units of a JavaScript string.
  for (let offset = 0; ;) {
    const piece = await remote.call('knowledge', { action: 'details', discovery_id: id, offset, length: PIECE });
    details += piece['details'] as string;
    const next = piece['next_offset'];
    if (typeof next !== 'number' || next <= offset) return { finding: piece['discovery'] as FullFinding, details };
    offset = next;
  }
};

type KnowledgeFlags = ServerFlags & { readonly json?: boolean };
type FilterFlags = KnowledgeFlags & {
  readonly type?: string;
  readonly severity?: string;
  readonly status?: string;
  readonly tag?: string;
};

const withFilters = (command: Command): Command =>
  command
    .addOption(new Option('--type <type>', 'Of this type').choices(FINDING_TYPES))
    .addOption(new Option('--severity <severity>', 'Of this severity').choices(FINDING_SEVERITIES))
    .addOption(new Option('--status <status>', 'Of this status').choices(FINDING_STATUSES))
    .option('--tag <tag>', 'With this tag');

const filtersOf = ({ type, severity, status, tag }: FilterFlags) => ({
  ...(type !== undefined && { discovery_type: type }),
  ...(severity !== undefined && { severity }),
  ...(status !== undefined && { status }),
  ...(tag !== undefined && { tags: [tag] }),
});

/** `breakwater knowledge`: what the agents of a running server have found out. */
export const knowledgeCommands = (program: Command): void => {
  const knowledge = program.command('knowledge').description('Search and read what agents have found out');
  const add = (name: string, description: string, help: string) =>
    withServerFlags(knowledge.command(name))
      .description(description)
      .option('--json', 'Print JSON')
      .addHelpText('after', `\n${help}`);

  withFilters(
    add(
      'search',
      'Find what matches words best, in summaries, details and tags',
      'Examples:\n  breakwater knowledge search nightly deadlock\n  breakwater knowledge search migration --type bug_found --json',
    ),
  )
    .argument('<words...>', 'What to look for')
    .option('--limit <number>', `Findings at most, 1 to ${MOST}`, '20')
    .action(async (words: string[], flags: FilterFlags & { limit: string }) => {
      const { discoveries } = await withServer(flags, 'read', (remote) =>
        remote.call('knowledge', {
          action: 'search',
          query: words.join(' '),
          limit: numberOf('limit', flags.limit, 1, MOST),
          ...filtersOf(flags),
        }),
      );
      const findings = discoveries as Finding[];
      if (flags.json === true) say(JSON.stringify(findings));
      else printFindings(findings, 'Nothing matches. "breakwater knowledge list" shows the newest.');
    });

  withPageFlags(
    add(
      'list',
      'Show findings, the newest first',
      'Examples:\n  breakwater knowledge list --limit 10\n  breakwater knowledge list --offset 50 --json',
    ),
    MOST,
  ).action(async (flags: KnowledgeFlags & PageFlags) => {
    const offset = numberOf('offset', flags.offset, 0, 1_000_000);
    const page = await withServer(flags, 'read', (remote) =>
      remote.call('knowledge', { action: 'list', limit: numberOf('limit', flags.limit, 1, MOST), offset }),
    );
    const findings = page['discoveries'] as Finding[];
    if (flags.json === true) {
      say(JSON.stringify({ rows: findings, offset, has_more: page['has_more'] === true }));
      return;
    }
    printFindings(findings, 'Agents have found nothing yet.');
    if (page['has_more'] === true) say(`\nFor more:  --offset ${offset + findings.length}`);
  });

  add(
    'show',
    'Show a finding with all of its details',
    'Example:\n  breakwater knowledge show 2026-05-31T12:00:00.000000Z',
  )
    .argument('<finding>', 'Its id; "knowledge list" shows it')
    .action(async (id: string, flags: KnowledgeFlags) => {
      const { finding, details } = await withServer(flags, 'read', (remote) => readWhole(remote, id));
      if (flags.json === true) {
        say(JSON.stringify({ ...finding, details }));
        return;
      }
      printFacts([
        ['finding', finding.id],
        ['summary', finding.summary],
        ['type', `${finding.type}, ${finding.severity}`],
        ['status', finding.status],
        ['by', finding.by],
        ['created', instantText(finding.created_at)],
        ['updated', finding.updated_at && instantText(finding.updated_at)],
        ['tags', finding.tags.join(' ')],
        ['files', finding.references_files.join(' ')],
        ['related to', finding.related_to.join(' ')],
      ]);
      if (details !== '') say(`\n${details.split('\n').map(tame).join('\n')}`);
    });
};
