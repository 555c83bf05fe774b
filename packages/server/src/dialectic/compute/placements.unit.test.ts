import { readFileSync } from 'node:fs';
import { ok } from '@breakwater/contract';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { verifies } from '../../../testing/verifies.ts';
import { systemClock, systemIds } from '../../runtime/index.ts';
import { startFakeNode, type FakeNode } from '../../serve/testing/fake-node.ts';
import { createComputations } from './placements.ts';
import type { ComputeCall, ComputeFailure, Synthesis } from './computation.ts';

const TOKEN = 'of-the-other';
const NOW = Date.parse('2026-05-13T12:00:00Z');

let other: FakeNode;
beforeAll(async () => (other = await startFakeNode({ tokens: [TOKEN] })));
afterAll(() => other.stop());

const start = (
  where: 'in_process' | URL,
  { random = () => 0, token = TOKEN }: { random?: () => number; token?: string } = {},
) => {
  const failures: ComputeFailure[] = [];
  const computations = createComputations({
    // Not the time of the other server, so that what depends on it tells whose it was.
    clock: { ...systemClock, now: () => NOW },
    random,
    ids: systemIds,
    where,
    token,
    onFailure: (failure) => void failures.push(failure),
  });
  return { ...computations, failures };
};

interface Vectors<Input, Expected> {
  readonly cases: readonly { readonly id: string; readonly input: Input; readonly expected: Expected }[];
}
const golden = <Input, Expected>(name: string) =>
  JSON.parse(
    readFileSync(new URL(`../../../fixtures/golden/dialectic_${name}.json`, import.meta.url), 'utf8'),
  ) as Vectors<Input, Expected>;

interface Said {
  readonly phase: string;
  readonly agent_id: string;
  readonly proposed_conditions: readonly string[] | null;
}
const said = ({ proposed_conditions, ...rest }: Said) => ({ ...rest, proposed_conditions: proposed_conditions ?? [] });

interface Case extends Pick<ComputeCall, 'mode' | 'input'> {
  readonly id: string;
  /** What stands in the result at least. */
  readonly expected: object;
  readonly random?: number;
}

const merges = golden<{ msg_a: Said; msg_b: Said; transcript: readonly Said[] }, object>('merge').cases.map(
  ({ id, input, expected }): Case => ({
    id,
    mode: 'synthesize',
    input: {
      message_a: said(input.msg_a),
      message_b: said(input.msg_b),
      transcript: input.transcript.map(said),
      session_type: 'review',
    },
    expected,
  }),
);

const limits = golden<
  { conditions: string[]; root_cause: string | null; session_type: string },
  { violation: string | null }
>('hard_limits').cases.map(({ id, input: { conditions, root_cause, session_type } }): Case => {
  const offer = { agent_id: 'a', proposed_conditions: conditions, root_cause };
  const nothing = { agent_id: 'b', proposed_conditions: [] };
  // The merge may leave a condition out, so the vector's own expectation does not hold; that all agree does.
  return {
    id,
    mode: 'synthesize',
    input: { message_a: offer, message_b: nothing, transcript: [], session_type },
    expected: { safe: expect.any(Boolean) as boolean },
  };
});

interface Metadata {
  readonly status?: string;
  readonly label?: string | null;
  readonly tags?: readonly string[] | null;
  readonly last_update?: string | null;
  readonly total_reviews?: number;
  readonly successful_reviews?: number;
}
const selections = golden<
  {
    metadata: Record<string, Metadata | string | null>;
    paused_agent_id: string;
    paused_agent_state: { risk_score?: number } | null;
    paused_agent_tags: readonly string[] | null;
    exclude_agent_ids: readonly string[] | null;
    in_active_session: readonly string[];
    recently_reviewed_pairs: readonly [string, string][];
    random: number;
    flag: string;
  },
  string | null
>('selection').cases.flatMap(({ id, input, expected }): Case[] =>
  // With the flag off nobody is asked.
  input.flag !== '1'
    ? []
    : [
        {
          id,
          mode: 'select_reviewer',
          random: input.random,
          input: {
            candidates: Object.entries(input.metadata).flatMap(([agent_id, known]) =>
              known === null || typeof known === 'string'
                ? []
                : {
                    agent_id,
                    label: known.label ?? null,
                    status: known.status ?? 'active',
                    tags: known.tags ?? [],
                    risk: input.paused_agent_state?.risk_score ?? null,
                    reviews: known.total_reviews ?? 0,
                    successful_reviews: known.successful_reviews ?? 0,
                    last_update_at: known.last_update ?? null,
                  },
            ),
            paused_agent_id: input.paused_agent_id,
            paused_agent_tags: input.paused_agent_tags ?? [],
            excluded: input.exclude_agent_ids ?? [],
            busy: input.in_active_session,
            recent_pairs: input.recently_reviewed_pairs.map(([reviewer_agent_id, paused_agent_id]) => ({
              reviewer_agent_id,
              paused_agent_id,
            })),
          },
          expected: { reviewer_agent_id: expected },
        },
      ],
);

describe('here and at another server', () => {
  it('the golden vectors give the same', async () => {
    verifies('W3-5.07');
    let chance = 0;
    const random = () => chance;
    const places = [start('in_process', { random }), start(new URL(other.url), { random })];
    const cases = [...merges, ...limits, ...selections];
    for (const [round, { id, mode, input, expected, random: drawn = 0 }] of cases.entries()) {
      chance = drawn;
      const results = await Promise.all(
        places.map(async ({ sessions }) => {
          const outcome = await sessions.run({ mode, sessionId: 'golden', round, input });
          return outcome.ok ? outcome.value.result : outcome.refusal;
        }),
      );
      for (const result of results) expect(result, id).toMatchObject(expected);
      expect(results, id).toEqual([results[0], results[0]]);
    }
    expect(places.flatMap(({ failures }) => failures)).toEqual([]);
    expect([merges.length, selections.length].every((count) => count > 10)).toBe(true);
  });
});

const ours: Synthesis = {
  sessionId: 's1',
  round: 1,
  a: { agentId: 'a', conditions: ['add logging'], rootCause: 'a broken runner', reasoning: null },
  b: { agentId: 'b', conditions: ['report daily'], rootCause: null, reasoning: null },
  record: [],
  sessionType: 'review',
};
const ofOurs = ok({ conditions: ['add logging', 'report daily'], rootCause: 'a broken runner', reasoning: '' });
const bad = { agent_id: 'a', proposed_conditions: ['trust the agent'] };
const theirs = {
  mode: 'synthesize',
  session_id: 's1',
  round: 1,
  input: { message_a: bad, message_b: bad, transcript: [], session_type: 'review' },
};
const callOfTheirs: ComputeCall = { ...theirs, sessionId: theirs.session_id };

it('a session is not answered with what a caller left at the other server', async () => {
  verifies('W3-5.05');
  const left = await fetch(`${other.url}/v1/dialectic/compute`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', authorization: `Bearer ${TOKEN}` },
    body: JSON.stringify(theirs),
  });
  expect(await left.json()).toMatchObject({ result: { conditions: ['trust the agent'] } });
  expect(await start(new URL(other.url)).sessions.synthesize(ours)).toEqual(ofOurs);
});

it('what the route keeps is not kept for sessions', async () => {
  verifies('W3-5.05');
  const { route, sessions } = start('in_process');
  expect(await route.run(callOfTheirs)).toMatchObject({ value: { result: { conditions: ['trust the agent'] } } });
  expect(await sessions.run(callOfTheirs)).toMatchObject({ value: { cache_hit: false } });
  expect(await sessions.synthesize(ours)).toEqual(ofOurs);
});

it('sessions go to the other server, and the route never does', async () => {
  verifies('W3-6.04');
  const gone = await startFakeNode();
  await gone.stop();
  const { route, sessions, failures } = start(new URL(gone.url));
  expect(await sessions.synthesize(ours)).toMatchObject({
    ok: false,
    refusal: { code: 'NOT_READY', details: { error_class: 'connect_error' } },
  });
  expect(failures).toMatchObject([{ errorClass: 'connect_error', sessionId: 's1', round: 1, mode: 'synthesize' }]);
  expect(await route.run(callOfTheirs)).toMatchObject({ ok: true });
});

it('another server that asks for another token has refused', async () => {
  verifies('W3-6.04');
  const { sessions, failures } = start(new URL(other.url), { token: 'wrong' });
  expect(await sessions.synthesize(ours)).toMatchObject({ ok: false, refusal: { code: 'NOT_READY' } });
  expect(failures).toMatchObject([{ errorClass: 'non_200', statusCode: 401 }]);
});
