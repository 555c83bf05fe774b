/**
 * `npm run fleet`: three small agents at a running server, to be watched in the console. Ida and Tom count primes by a quick
 * method and check every answer by a slow one. Ida is honest. Tom's method begins to be wrong, and Tom goes on claiming 0.95
 * until the server pauses it. None of the three has the record of a reviewer yet, so the server asks you: you name Rea, which
 * lets Tom go on under conditions, and you confirm what the two agreed on. Then Tom mends its method.
 */
import { parseArgs } from 'node:util';
import { fileCredentials } from '@breakwater/sdk/file-credentials';
import { Agent, BreakwaterError, BreakwaterClient, UnreachableError, type CheckInReport } from '@breakwater/sdk';
import { countPrimes, countPrimesCarelessly, countPrimesSlowly } from './work.ts';

const { values } = parseArgs({
  options: {
    url: { type: 'string', default: `http://127.0.0.1:${process.env['BREAKWATER_PORT'] ?? '8767'}` },
    every: { type: 'string', default: '8' },
    pieces: { type: 'string', default: '0' },
    credentials: { type: 'string', default: '.breakwater/fleet' },
    help: { type: 'boolean', default: false },
  },
});

const usage = `Usage: npm run fleet -- [--url http://127.0.0.1:8767] [--every 8] [--pieces 0] [--credentials .breakwater/fleet]

Three agents that work, drift and review each other on a running server (npm start, in another terminal). You are its operator:
you name the reviewer and confirm what was agreed. Ctrl-C ends it; started again they are the same agents.

  --url      where the server is
  --every    seconds between two pieces of work of an agent
  --pieces   pieces of work of Tom after which it ends by itself; 0: never
  --credentials  folder in which they keep who they are; it holds their secrets`;

const say = (who: string, what: string): void => {
  console.log(`${new Date().toLocaleTimeString('en-GB')}  ${who.padEnd(4)} ${what}`);
};

const OFFER = ['Set complexity to 0.5', 'Monitor for 24 hours'];
const LOOKS_EVERY_MS = 2_000;
/** From this piece on Tom's method is wrong. */
const DRIFTS_FROM = 6;

const everyMs = Number(values.every) * 1000;
const pieces = Number(values.pieces);
const end = new AbortController();

/** How an agent counts, and how sure it says that it is. */
interface Habit {
  readonly count: (limit: number) => number;
  readonly confidence: number;
}

/** An agent that counts primes by its habit of the moment, until the end. */
const counts = (
  agent: Agent,
  habitAt: (piece: number) => Habit,
  more: { onPause?(): Promise<void>; onResume?(): void } = {},
) => {
  // Each life counts something else, since an agent that repeats itself is taken for one that loops.
  let limit = 1_000 + Math.floor(Math.random() * 100_000);
  let isRight = true;
  return agent.runLoop({
    signal: end.signal,
    everyMs,
    pausePollMs: LOOKS_EVERY_MS,
    work: ({ number }): CheckInReport => {
      limit += 97;
      const { count, confidence } = habitAt(number);
      const answer = count(limit);
      isRight = answer === countPrimesSlowly(limit);
      return { text: `Counted ${answer} primes below ${limit}.`, confidence, complexity: 0.3, taskType: 'convergent' };
    },
    onCheckIn: async (checkIn) => {
      await agent.recordResult({
        outcome: isRight ? 'test_passed' : 'test_failed',
        predictionId: checkIn.predictionId,
        evidence: { command: 'check the count', exit_code: isRight ? 0 : 1 },
      });
      say(agent.name, `${isRight ? 'was right' : 'was wrong'} about the primes below ${limit}`);
    },
    onPause: async ({ reason }) => {
      say(agent.name, `is paused: ${reason ?? 'the server says so'}`);
      await more.onPause?.();
    },
    onResume: () => {
      say(agent.name, 'is active again');
      more.onResume?.();
    },
    onUnavailable: ({ message }) => {
      say(agent.name, `waits for the server: ${message}`);
    },
  });
};

/** An agent that answers every review that it was named for, and agrees to let the other go on under conditions. */
const reviews = (agent: Agent) =>
  agent.runLoop({
    signal: end.signal,
    everyMs: LOOKS_EVERY_MS,
    work: async () => {
      const { reviews: open } = await agent.reviews({ status: 'antithesis' });
      const [next] = open.filter(({ reviewer }) => reviewer === agent.agentId);
      if (next === undefined) return undefined;
      const review = agent.review(next.sessionId);
      await review.respond({
        reasoning: 'Your checks failed, and you went on claiming 0.95.',
      });
      const reasoning = 'Claim less, in smaller pieces.';
      const done = await review.propose({ agrees: true, conditions: OFFER, reasoning });
      say(agent.name, 'has reviewed an agent: it may go on under conditions');
      if (done.awaitingConfirmation) {
        say('', 'Both agree. Confirm it in the console, or by:');
        say('', `  npm run breakwater -- reviews confirm ${next.sessionId} --reason "the method is mended"`);
      }
      return { text: `Reviewed ${next.sessionId}.`, confidence: 0.7, taskType: 'review' };
    },
  });

const run = async (): Promise<void> => {
  const client = new BreakwaterClient({ url: values.url });
  const open = (name: string, purpose: string): Promise<Agent> =>
    Agent.open({
      client,
      name,
      purpose,
      credentials: fileCredentials(`${values.credentials}/${name.toLowerCase()}.json`),
    });
  const ida = await open('Ida', 'counts primes, and claims what it can hold');
  const tom = await open('Tom', 'counts primes, and does not look at its results');
  const rea = await open('Rea', 'reviews agents that were paused');
  say('', `Ida, Tom and Rea are at work at ${values.url}; the console shows them. Ctrl-C ends it.`);

  let isMended = false;
  await Promise.all([
    counts(ida, () => ({ count: countPrimes, confidence: 0.9 })),
    counts(
      tom,
      (piece) => {
        if (pieces > 0 && piece >= pieces) end.abort();
        if (isMended) return { count: countPrimes, confidence: 0.8 };
        return { count: piece < DRIFTS_FROM ? countPrimes : countPrimesCarelessly, confidence: 0.95 };
      },
      {
        onPause: async () => {
          const asked = await tom.requestReview({
            reason: 'My claims did not match my results.',
            rootCause: 'I changed my method, and did not look at what came of it.',
            conditions: OFFER,
          });
          say('Tom', 'asks for a review');
          if (asked.latest?.awaitingFacilitation === true) {
            say('', 'Nobody has the record of a reviewer yet: name Rea in the console, or by:');
            say('', `  npm run breakwater -- reviews assign ${asked.sessionId} --reviewer Rea --reason "it reviews"`);
          }
        },
        onResume: () => {
          isMended = true;
          say('Tom', 'has mended its method, and claims less');
        },
      },
    ),
    reviews(rea),
  ]);
};

if (values.help) console.log(usage);
else if (!(everyMs > 0) || !(pieces >= 0)) {
  console.error('--every takes seconds above 0, --pieces a number from 0 on.');
  process.exitCode = 2;
} else {
  for (const signal of ['SIGINT', 'SIGTERM'] as const) {
    process.once(signal, () => {
      end.abort();
    });
  }
  try {
    await run();
  } catch (error) {
    if (!(error instanceof BreakwaterError)) throw error;
    const hint =
      error instanceof UnreachableError ? ' Start one with "npm start" in another terminal, then try again.' : '';
    console.error(`${error.message}${hint}`);
    process.exitCode = 1;
  }
}
