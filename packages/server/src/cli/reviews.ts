import type { AgentRef, AgentView, ReviewsPage, ReviewView } from '@breakwater/contract/overview';
import { Option, type Command } from 'commander';
import { moreText, numberOf, withPageFlags, type PageFlags } from './page-flags.ts';
import { systemClock } from '../runtime/index.ts';
import { agentOn } from './agent-id.ts';
import { instantText, printFacts, printTable, whenText } from './print.ts';
import { withServer, withServerFlags, type ServerFlags } from './remote.ts';
import { tame } from './terminal.ts';
import { say } from './output.ts';

const MOST = 200;
const STATUSES = ['open', 'waiting', 'resolved', 'failed', 'all'];

const nameText = (agent: AgentRef | null): string => agent?.name ?? 'nobody';
const phaseText = (row: ReviewsPage['rows'][number]): string => {
  if (row.awaiting_confirmation_since !== null) return 'agreed, waits for an operator to confirm it';
  return row.awaiting_facilitation ? `${row.phase}, waits for a person` : row.phase;
};

const printReviews = ({ rows, offset, matching }: ReviewsPage): void => {
  if (rows.length === 0) {
    say(matching === 0 ? 'No review matches.' : `There are only ${matching}.`);
    return;
  }
  const now = systemClock.now();
  printTable(
    ['REVIEW', 'AGENT', 'REVIEWER', 'PHASE', 'ROUND', 'MESSAGES', 'BEGUN', 'WHY'],
    rows.map((row) => [
      row.review_id,
      row.agent.name,
      nameText(row.reviewer),
      phaseText(row),
      `${row.round} of ${row.max_rounds}`,
      String(row.messages),
      whenText(row.created_at, now),
      row.outcome ?? row.reason ?? '-',
    ]),
    ['REVIEW', 'AGENT', 'PHASE', 'BEGUN', 'REVIEWER', 'WHY'],
  );
  const more = moreText(rows.length, offset, matching);
  if (more !== undefined) say(more);
};

const printReview = (review: ReviewView): void => {
  const { merge, resolution, confirmation } = review;
  printFacts([
    ['review', review.review_id],
    ['agent', `${review.agent.name} (${review.agent.agent_id})`],
    ['reviewer', review.reviewer && `${review.reviewer.name} (${review.reviewer.agent_id})`],
    ...(review.reviewer_assigned_by === null
      ? []
      : ([['assigned by', `operator ${review.reviewer_assigned_by}`]] as const)),
    ['phase', phaseText(review)],
    ['round', `${review.round} of ${review.max_rounds}`],
    ['begun', instantText(review.created_at)],
    ['last answer', instantText(review.last_participant_at)],
    ['why', review.reason],
    ['outcome', review.outcome],
  ]);
  for (const message of review.transcript) {
    const said = [message.root_cause, message.reasoning, ...message.concerns.map((concern) => `concern: ${concern}`)];
    const author = message.author === null ? message.role : `${message.author.name} (${message.role})`;
    say(`\n${instantText(message.at)}  ${message.kind} of ${tame(author)}${message.agrees === true ? ', agrees' : ''}`);
    for (const text of [...said, ...message.conditions.map((condition) => `condition: ${condition}`)]) {
      if (text !== null && text !== '') say(`  ${tame(text)}`);
    }
  }
  if (merge !== null && resolution === null) {
    say('\nWhat both said last comes together as:');
    for (const { text, from } of merge.conditions) say(`  ${tame(text)} (${from})`);
    for (const { a, b, why } of merge.conflicts) say(`  conflict: ${tame(a)} / ${tame(b)}: ${tame(why)}`);
  }
  if (confirmation !== null) {
    const { decision, operator, at, action, why, since, reason } = confirmation;
    say(
      decision === 'open'
        ? `\nBoth agree on ${action}. Waits for an operator since ${instantText(since)}: ${why}.\n  breakwater reviews confirm ${review.review_id} --reason <why>`
        : `\nOperator ${tame(operator ?? '-')} ${decision === 'accept' ? 'confirmed' : 'rejected'} it ${instantText(at)}: ${tame(reason ?? '')}`,
    );
  }
  if (resolution === null) return;
  say(`\nResolved ${instantText(resolution.at)}: ${resolution.action}`);
  for (const condition of resolution.conditions) say(`  ${tame(condition)}`);
};

type ReviewFlags = ServerFlags & { readonly json?: boolean };
const ID = '0c4f6a0e-8a55-4a5e-9d0a-0d3b1d6f7c21';

/** `breakwater reviews`: the reviews of paused agents on a running server. */
export const reviewsCommands = (program: Command): void => {
  const reviews = program
    .command('reviews')
    .description('See the reviews of paused agents on a running server, name reviewers, and confirm what was agreed');
  const add = (name: string, description: string, help: string) =>
    withServerFlags(reviews.command(name))
      .description(description)
      .option('--json', 'Print JSON')
      .addHelpText('after', `\n${help}`);

  withPageFlags(
    add(
      'list',
      'Show reviews, the newest first',
      'Examples:\n  breakwater reviews list --status waiting\n  breakwater reviews list --agent Ada --json',
    ),
    MOST,
  )
    .addOption(new Option('--status <status>', 'Of this status; all by default').choices(STATUSES))
    .option('--agent <agent>', 'Of this agent or by it: its name, its id, or the first 8 characters or more of its id')
    .action(async (flags: ReviewFlags & PageFlags & { status?: string; agent?: string }) => {
      const found = await withServer(flags, 'read', async (remote) =>
        remote.read<ReviewsPage>('reviews', {
          status: flags.status,
          agent: flags.agent === undefined ? undefined : await agentOn(remote, flags.agent),
          limit: String(numberOf('limit', flags.limit, 1, MOST)),
          offset: String(numberOf('offset', flags.offset, 0, 1_000_000)),
        }),
      );
      if (flags.json === true) say(JSON.stringify(found));
      else printReviews(found);
    });

  add(
    'show',
    'Show a review: what was said, how it comes together, and how it ended',
    `Example:\n  breakwater reviews show ${ID}`,
  )
    .argument('<review>', 'The review; "reviews list" shows it')
    .action(async (review: string, flags: ReviewFlags) => {
      const found = await withServer(flags, 'read', (remote) =>
        remote.read<ReviewView>(`reviews/${encodeURIComponent(review)}`),
      );
      if (flags.json === true) say(JSON.stringify(found));
      else printReview(found);
    });

  add(
    'assign',
    'Give a review another reviewer: the one that is named, or one that the server chooses',
    `Examples:\n  breakwater reviews assign ${ID} --reason "the reviewer is silent"\n` +
      `  breakwater reviews assign ${ID} --reviewer Grace --reason "she knows the build"`,
  )
    .argument('<review>', 'The review; "reviews list" shows it')
    .requiredOption('--reason <text>', 'Why; it stands in the record of the review')
    .option(
      '--reviewer <agent>',
      'The new reviewer: an agent by its name, its id, or the first 8 characters or more of its id',
    )
    .action((review: string, flags: ReviewFlags & { reason: string; reviewer?: string }) =>
      withServer(flags, 'act', async (remote) => {
        const named =
          flags.reviewer === undefined
            ? undefined
            : (await remote.read<AgentView>(`agents/${encodeURIComponent(await agentOn(remote, flags.reviewer))}`))
                .agent_id;
        await remote.call('dialectic', {
          action: 'reassign',
          session_id: review,
          reason: flags.reason,
          ...(named !== undefined && { new_reviewer_id: named }),
        });
        const { reviewer, phase } = await remote.read<ReviewView>(`reviews/${encodeURIComponent(review)}`);
        if (flags.json === true) say(JSON.stringify({ review_id: review, reviewer, phase }));
        else say(`Review ${tame(review)} is in the hands of ${tame(nameText(reviewer))} now.`);
      }),
    );

  add(
    'confirm',
    'Confirm what a review agreed on, so that it is carried out, or reject it',
    `Examples:\n  breakwater reviews confirm ${ID} --reason "the cause is mended"\n` +
      `  breakwater reviews confirm ${ID} --reject --reason "nothing was mended"`,
  )
    .argument('<review>', 'The review; "status" and "reviews list --status waiting" show it')
    .requiredOption('--reason <text>', 'Why; it stands in the record of the review and in the audit trail')
    .option('--reject', 'Fail the review instead: the agent stays paused')
    .action((review: string, flags: ReviewFlags & { reason: string; reject?: boolean }) =>
      withServer(flags, 'act', async (remote) => {
        const answer = await remote.call('dialectic', {
          action: 'confirm',
          session_id: review,
          decision: flags.reject === true ? 'reject' : 'accept',
          reason: flags.reason,
        });
        if (flags.json === true) say(JSON.stringify(answer));
        else say(tame(String(answer['message'])));
      }),
    );
};
