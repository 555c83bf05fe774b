import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Json } from '../../testing/rest.ts';
import { giveRecord } from '../../testing/reviewer.ts';
import { verifies } from '../../testing/verifies.ts';
import { originOf, shortfallsOf } from './rules/qualification.ts';
import { isPausedAgain } from './rules/confirmation.ts';
import { CALLS, heldWorld, HOUR, type ActCall } from '../lifecycle/testing/held.ts';

/**
 * An agent that is paused, its family and its friends, who do anything in any order. Longer by hand:
 * `BREAKWATER_MODEL_RUNS=300 npx vitest run --project int …/breaker-model.int.test.ts`, from a new seed. A failure prints its seed and path.
 */
const ASKED = globalThis.process.env['BREAKWATER_MODEL_RUNS'];
const RUNS = Number(ASKED ?? 30);
/** Without a wish the same runs each time: what a stranger's change breaks must not depend on chance. */
const SEED = ASKED === undefined ? { seed: 1 } : {};
const PAUSE_HOURS = 72;
const TERMS = ['Monitor for 24 hours'];

const { w, ann, onboard, pause } = await heldWorld();

/** Somebody of the group, with what makes it a reviewer or not. */
interface Member {
  readonly uuid: string;
  readonly secret: string;
  readonly bornAt: number;
  readonly parent: string | null;
  readonly sharesPlace: boolean;
  prediction: unknown;
}

/** Why the agent was let out, as the model accepts it. */
type Way = 'operator resumed' | 'operator confirmed' | 'peer review' | 'pause over';

interface Group {
  readonly members: Member[];
  readonly mcpSessionId: string;
  /** Whom an operator named as the reviewer. */
  readonly named: Set<string>;
  policy: 'operator' | 'peer';
  /** The pause that holds, in ms since the epoch; undefined: the agent is at work. */
  held: { at: number; kind: string; until: number } | undefined;
  endedAt: number | null;
  /** The operator's act that has just let the agent out. */
  allowed: Way | undefined;
}

const happened: Record<Way, number> = {
  'operator resumed': 0,
  'operator confirmed': 0,
  'peer review': 0,
  'pause over': 0,
};

const at = (group: Group, index: number): Member => group.members[index % group.members.length]!;
const agentOf = (group: Group): Member => at(group, 0);
const as = (member: Member, args: Json = {}): Json => ({ client_session_id: member.secret, ...args });
const descends = (group: Group, member: Member): boolean => {
  const eldest = agentOf(group).uuid;
  for (let parent = member.parent; parent !== null;) {
    if (parent === eldest) return true;
    parent = group.members.find(({ uuid }) => uuid === parent)?.parent ?? null;
  }
  return false;
};
const openReview = async (group: Group): Promise<string | undefined> => {
  const [row] = await w.rows(
    `SELECT session_id FROM core.dialectic_sessions WHERE paused_agent_id = $1 AND phase NOT IN ('resolved', 'failed')`,
    agentOf(group).uuid,
  );
  return row?.['session_id'] as string | undefined;
};

/** What speaks against the reviewer of the review that has ended, by the rule, from what the test itself knows. */
const shortfallsOfLast = async (group: Group, pausedAt: number): Promise<readonly unknown[]> => {
  const agent = agentOf(group);
  const [last] = await w.rows(
    `SELECT reviewer_agent_id AS id FROM core.dialectic_sessions WHERE paused_agent_id = $1 AND phase = 'resolved'
     ORDER BY updated_at DESC LIMIT 1`,
    agent.uuid,
  );
  const reviewer = group.members.find(({ uuid }) => uuid === last?.['id']);
  if (reviewer === undefined) return ['nobody of the group'];
  const head = await w.node.agents.find(reviewer.uuid);
  const parentOf = (id: string) => group.members.find(({ uuid }) => uuid === id)?.parent ?? null;
  const found = shortfallsOf(
    {
      agentId: reviewer.uuid,
      createdAt: reviewer.bornAt,
      claims: head?.vitals?.claims ?? null,
      gradedResults: await w.count(
        'audit.outcome_events WHERE agent_id = $1 AND graded AND ts < $2::timestamptz',
        reviewer.uuid,
        new Date(pausedAt).toISOString(),
      ),
      lastPausedAt: null,
      origin: originOf(reviewer.uuid, parentOf),
      sharesPlace: reviewer.sharesPlace,
    },
    { agentId: agent.uuid, origin: originOf(agent.uuid, parentOf), pausedAt },
  );
  // What an operator named needs no record; a relative it cannot name.
  return group.named.has(reviewer.uuid) ? found.filter(({ condition }) => condition === 'relative') : found;
};

/** Holds the agent against the promise after an act. */
const look = async (group: Group): Promise<void> => {
  const { held, allowed } = group;
  group.allowed = undefined;
  if (held === undefined) return;
  const head = await w.node.agents.find(agentOf(group).uuid);
  if (head?.status === 'paused') {
    const kind = head.pause?.sub_action ?? '';
    const until = Date.parse(head.pause?.expires_at ?? '') || Infinity;
    if (kind !== held.kind || until !== held.until) {
      // A review may leave it in force; it does not shorten it but by who might have lifted it.
      expect(kind).toMatch(/^review_(block|escalate)$/);
      expect(until).toBe(Infinity);
      group.held = { ...held, kind, until };
    }
    return;
  }
  expect(head?.status, 'a paused agent goes on, and does not end').toBe('active');
  const over = w.clock.now() > held.until;
  const way = allowed ?? (over ? 'pause over' : 'peer review');
  if (way === 'peer review') {
    expect(['claims_pause', 'conditions_pause']).toContain(held.kind);
    if (held.kind === 'claims_pause') expect(group.policy).toBe('peer');
    expect(isPausedAgain(held.at, group.endedAt), 'a second pause is confirmed').toBe(false);
    expect(await shortfallsOfLast(group, held.at)).toEqual([]);
  }
  happened[way] += 1;
  group.held = undefined;
  group.endedAt = w.clock.now();
};

/** A step of the model: what somebody does, and when it can be done. */
class Step implements fc.AsyncCommand<object, Group> {
  readonly #name: string;
  readonly #run: (group: Group) => Promise<void>;
  readonly #check: (group: Group) => boolean;
  constructor(name: string, run: (group: Group) => Promise<void>, check = (_: Group) => true) {
    this.#name = name;
    this.#run = run;
    this.#check = check;
  }
  check = (): boolean => true;
  async run(_: object, group: Group): Promise<void> {
    if (!this.#check(group)) return;
    await this.#run(group);
    await look(group);
  }
  toString = (): string => this.#name;
}

const checkIn = (by: number, confidence = 0.6) =>
  new Step(`check in: ${by} at ${confidence}`, async (group) => {
    const member = at(group, by);
    const { ok, body } = await w.call(
      'process_agent_update',
      as(member, { response_text: `work ${w.clock.now()}`, confidence }),
    );
    if (ok) member.prediction = body['prediction_id'];
    // A resolution may have been carried out since the last look; whether it might, that look says.
    await look(group);
    const over = group.held !== undefined && w.clock.now() > group.held.until;
    const isHeld = member === agentOf(group) || descends(group, member);
    if (group.held !== undefined && !over && isHeld)
      expect(ok, 'a held agent or its descendant checked in').toBe(false);
  });
const record = (by: number, result: 'good' | 'bad' | 'contradicting') =>
  new Step(`record: ${by} ${result}`, async (group) => {
    const member = at(group, by);
    const outcome_type = result === 'bad' ? 'test_failed' : 'test_passed';
    const detail = { command: 'npm test', exit_code: result === 'good' ? 0 : 1 };
    const prediction = member.prediction == null ? {} : { prediction_id: member.prediction };
    await w.call('outcome_event', as(member, { outcome_type, detail, ...prediction }));
  });
const ask = (by: number, mode: 'auto' | 'manual') =>
  new Step(`ask for a review: ${by} ${mode}`, async (group) => {
    const thesis = { reason: 'r', root_cause: 'rc', proposed_conditions: TERMS };
    await w.call('request_review', as(at(group, by), { ...thesis, reviewer_mode: mode }));
  });
const inReview = (name: string, by: number, tool: string, args: Json) =>
  new Step(`${name}: ${by}`, async (group) => {
    await w.call(tool, as(at(group, by), { session_id: (await openReview(group)) ?? 'none', ...args }));
  });
const answer = (by: number) => inReview('answer', by, 'submit_antithesis', { reasoning: 'fine', concerns: [] });
const agree = (by: number, action: 'resume' | 'block' = 'resume') =>
  inReview(`agree on ${action}`, by, 'submit_synthesis', {
    agrees: true,
    reasoning: 'fine',
    proposed_conditions: TERMS,
    proposed_action: action,
  });
const handOn = (by: number, to: number) =>
  new Step(`hand the review on: ${by} to ${to}`, async (group) => {
    const args = { action: 'reassign', new_reviewer_id: at(group, to).uuid, reason: 'r' };
    await w.call('dialectic', as(at(group, by), { ...args, session_id: (await openReview(group)) ?? 'none' }));
  });
const act = (one: ActCall, by: number, onAgent: boolean, inSession: boolean) =>
  new Step(`${one.tool} ${JSON.stringify(one.args)}: ${by}${onAgent ? ' on the agent' : ''}`, async (group) => {
    const target = onAgent && one.tool !== 'onboard' ? { target_agent_id: agentOf(group).uuid } : {};
    const seen = inSession ? { mcpSessionId: group.mcpSessionId } : {};
    await w.call(one.tool, as(at(group, by), { ...one.args, ...target }), seen);
  });
const mint = (by: number, how: 'child' | 'friend' | 'in session', word: string) =>
  new Step(`mint: ${by} a ${how} by ${word}`, async (group) => {
    const parent = how === 'child' ? at(group, by) : undefined;
    const lineage = parent === undefined ? {} : { parent_agent_id: parent.uuid, spawn_reason: word };
    const seen =
      how === 'in session' ? { mcpSessionId: group.mcpSessionId } : { userAgent: `born/${group.members.length}` };
    const { ok, body } = await w.call('onboard', { force_new: true, ...lineage }, seen);
    if (how === 'in session') {
      if (group.held !== undefined && w.clock.now() <= group.held.until) expect(ok).toBe(false);
      return;
    }
    if (!ok) return;
    group.members.push({
      uuid: body['uuid'] as string,
      secret: body['client_session_id'] as string,
      bornAt: w.clock.now(),
      parent: parent?.uuid ?? null,
      sharesPlace: false,
      prediction: undefined,
    });
  });
const selfRecovery = (by: number, action: 'quick' | 'review') =>
  new Step(`self recovery: ${by} ${action}`, async (group) => {
    await w.call(
      'self_recovery',
      as(at(group, by), { action, reflection: 'I have thought about it for long enough.' }),
    );
  });
/** Time goes on, and what the server does by itself in it; `past`: also past the end of the pause. */
const wait = (minutes: number, past: boolean) =>
  new Step(
    `wait ${minutes} min`,
    async (group) => {
      w.clock.advance(minutes * 60_000);
      await w.node.dialectic.driveAgreed(w.clock.now() + HOUR);
      await w.node.checkIns.expirePauseOf(agentOf(group).uuid, w.clock.now() + HOUR);
    },
    ({ held }) => past || held === undefined || w.clock.now() + minutes * 60_000 <= held.until,
  );
const policy = (value: 'operator' | 'peer') =>
  new Step(`policy ${value}`, async (group) => {
    await w.node.flags.set('claims_review', value, 'test', 'the model');
    group.policy = value;
  });
const operatorActs = (what: 'confirm' | 'reject' | 'resume' | 'assign', to = 0) =>
  new Step(`operator: ${what} ${to}`, async (group) => {
    const session_id = (await openReview(group)) ?? 'none';
    if (what === 'resume') {
      const args = { target_agent_id: agentOf(group).uuid, reason: 'r', force: true };
      if ((await w.call('operator_resume_agent', args, ann)).ok) group.allowed = 'operator resumed';
      return;
    }
    if (what === 'assign') {
      const new_reviewer_id = at(group, to).uuid;
      const { ok } = await w.call('reassign_reviewer', { session_id, new_reviewer_id, reason: 'r' }, ann);
      if (ok) group.named.add(new_reviewer_id);
      return;
    }
    const decision = what === 'confirm' ? 'accept' : 'reject';
    const { body } = await w.call('dialectic', { action: 'confirm', session_id, decision, reason: 'r' }, ann);
    if (body['applied'] === true && what === 'confirm') group.allowed = 'operator confirmed';
  });
const pauseAgain = (kind: string) =>
  new Step(
    `pause again: ${kind}`,
    async (group) => {
      w.clock.advance(1_000);
      await begin(group, kind);
    },
    ({ held }) => held === undefined,
  );

const begin = async (group: Group, kind: string): Promise<void> => {
  await pause(agentOf(group).uuid, kind, PAUSE_HOURS);
  const now = w.clock.now();
  group.held = { at: now, kind, until: now + PAUSE_HOURS * HOUR };
};

/** Members by their place in the group. */
const [AGENT, CHILD, GRANDCHILD, NOVICE, VETERAN, NEIGHBOUR, KIN] = [0, 1, 2, 3, 4, 5, 6] as const;

let serial = 0;
const newGroup = async (): Promise<Group> => {
  const mcpSessionId = await w.node.identity.createMcpSession();
  const members: Member[] = [];
  const join = async (
    place: string,
    parent: number | null = null,
    seen: object = {},
    record = false,
  ): Promise<void> => {
    const lineage = parent === null ? {} : { parent_agent_id: members[parent]!.uuid, spawn_reason: 'subagent' };
    const made = await onboard(lineage, { userAgent: `${place}/${serial}`, ...seen });
    await w.call('process_agent_update', { client_session_id: made.secret, response_text: 'hello', confidence: 0.6 });
    const bornAt = record ? w.clock.now() - 48 * HOUR : w.clock.now();
    if (record) {
      await giveRecord(w.database, [made.uuid], w.clock.now());
      await w.node.agents.refresh([made.uuid]);
    }
    const sharesPlace = place === 'here';
    members.push({
      ...made,
      bornAt,
      parent: parent === null ? null : members[parent]!.uuid,
      sharesPlace,
      prediction: undefined,
    });
  };
  serial += 1;
  await join('here', null, { mcpSessionId });
  await join('child', AGENT);
  await join('grandchild', CHILD);
  await join('novice');
  await join('veteran', null, {}, true);
  await join('here', null, {}, true);
  await join('kin', AGENT, {}, true);
  w.clock.advance(1_000);
  return {
    members,
    mcpSessionId,
    named: new Set(),
    policy: 'operator',
    held: undefined,
    endedAt: null,
    allowed: undefined,
  };
};

const anyone = fc.nat(9);
const reviewer = fc.oneof(anyone, fc.constantFrom(VETERAN, VETERAN, NEIGHBOUR, KIN, NOVICE, GRANDCHILD));
const words = fc.constantFrom('subagent', 'compaction', 'dispatch', 'explicit', 'new_session', 'dialectic_reviewer');
const EXTRA: readonly ActCall[] = [
  { act: 'read', tool: 'bind_session', args: { resume: true } },
  { act: 'mint', tool: 'onboard', args: {} },
  { act: 'mint', tool: 'onboard', args: { reactivate: true } },
  { act: 'mint', tool: 'onboard', args: { name: 'somebody' } },
  { act: 'revoke', tool: 'identity', args: { revoke: 'others' } },
];
const KINDS = ['claims_pause', 'conditions_pause', 'operator_pause', 'review_cooldown', 'review_block', 'tomorrow'];
const kinds = fc.oneof(fc.constantFrom('claims_pause', 'conditions_pause'), fc.constantFrom(...KINDS));

/** Acts of agents, and, where they are asked for, of an operator. */
const acts = (past: boolean) => [
  { weight: 4, arbitrary: fc.tuple(anyone, fc.constantFrom(0.1, 0.6, 0.95)).map(([by, c]) => checkIn(by, c)) },
  {
    weight: 3,
    arbitrary: fc.tuple(anyone, fc.constantFrom('good', 'bad', 'contradicting')).map(([by, r]) => record(by, r)),
  },
  {
    weight: 3,
    arbitrary: fc
      .tuple(fc.oneof(fc.constant(AGENT), anyone), fc.constantFrom('auto', 'manual', 'manual'))
      .map(([by, mode]) => ask(by, mode)),
  },
  { weight: 5, arbitrary: reviewer.map((by) => answer(by)) },
  {
    weight: 7,
    arbitrary: fc
      .tuple(fc.oneof(reviewer, fc.constant(AGENT)), fc.constantFrom('resume', 'resume', 'resume', 'block'))
      .map(([by, action]) => agree(by, action)),
  },
  { weight: 1, arbitrary: fc.tuple(anyone, reviewer).map(([by, to]) => handOn(by, to)) },
  {
    weight: 8,
    arbitrary: fc
      .tuple(
        fc.constantFrom(...CALLS.filter(({ act }) => act !== 'read'), ...EXTRA),
        fc.oneof(fc.constant(AGENT), anyone),
        fc.boolean(),
        fc.boolean(),
      )
      .map((of) => act(...of)),
  },
  {
    weight: 3,
    arbitrary: fc.tuple(anyone, fc.constantFrom('child', 'friend', 'in session'), words).map((of) => mint(...of)),
  },
  { weight: 1, arbitrary: fc.tuple(anyone, fc.constantFrom('quick', 'review')).map((of) => selfRecovery(...of)) },
  { weight: 2, arbitrary: fc.constantFrom(1, 20, 90, 25 * 60).map((minutes) => wait(minutes, past)) },
  ...(past ? [{ weight: 2, arbitrary: fc.constant(80 * 60).map((minutes) => wait(minutes, true)) }] : []),
];
const operators = [
  {
    weight: 4,
    arbitrary: fc
      .tuple(fc.constantFrom('confirm', 'confirm', 'confirm', 'reject', 'resume', 'assign'), anyone)
      .map((of) => operatorActs(...of)),
  },
  { weight: 2, arbitrary: fc.constantFrom('operator', 'peer').map((value) => policy(value)) },
];

type Commands = Iterable<fc.AsyncCommand<object, Group>>;
const play = async (kind: string, begins: 'operator' | 'peer', opened: boolean, commands: Commands): Promise<void> => {
  const group = await newGroup();
  await begin(group, kind);
  const first = [policy(begins), ...(opened ? [ask(AGENT, 'manual'), answer(VETERAN)] : [])];
  await fc.asyncModelRun(() => ({ model: {}, real: group }), [...first, ...commands]);
  if (group.held === undefined || w.clock.now() > group.held.until) return;
  for (let by = 0; by < group.members.length; by += 1) await checkIn(by).run({}, group);
};
const commandsOf = (weighted: readonly { readonly weight: number; readonly arbitrary: fc.Arbitrary<Step> }[]) =>
  fc.commands([fc.oneof(...weighted)], { maxCommands: 24, size: 'max' });
const policies = fc.constantFrom('operator', 'peer');

describe('a pause against everything that its agent, its family and its friends do', () => {
  it(
    `is not lifted before its end but by an operator or by a qualified reviewer (${RUNS} runs)`,
    { timeout: 3_600_000 },
    async () => {
      verifies('BW-breaker.03');
      const ways = { ...happened };
      await fc.assert(
        fc.asyncProperty(
          kinds,
          policies,
          fc.boolean(),
          commandsOf([...acts(false), ...operators, { weight: 2, arbitrary: kinds.map((kind) => pauseAgain(kind)) }]),
          play,
        ),
        {
          ...SEED,
          numRuns: RUNS,
          verbose: true,
          // Both ways out that the promise allows, and a second pause that no peer lifts, in every run.
          examples: [
            ['claims_pause', 'operator', true, [agree(VETERAN), operatorActs('confirm')]],
            // Was found by the model: a peer lifted a pause of a kind that nobody knows.
            ['tomorrow', 'operator', true, [agree(VETERAN)]],
            ['claims_pause', 'peer', true, [operatorActs('resume'), pauseAgain('review_block'), agree(VETERAN)]],
            [
              'claims_pause',
              'peer',
              true,
              [agree(VETERAN), pauseAgain('claims_pause'), ask(AGENT, 'manual'), answer(NOVICE)],
            ],
          ],
        },
      );
      expect(happened['operator confirmed']).toBeGreaterThan(ways['operator confirmed']);
      expect(happened['peer review']).toBeGreaterThan(ways['peer review']);
    },
  );

  it(`is over at its end, and not before (${Math.ceil(RUNS / 3)} runs)`, { timeout: 3_600_000 }, async () => {
    verifies('BW-breaker.03', 'BW-breaker.04');
    const ways = { ...happened };
    await fc.assert(fc.asyncProperty(kinds, policies, fc.boolean(), commandsOf(acts(true)), play), {
      ...SEED,
      numRuns: Math.ceil(RUNS / 3),
      verbose: true,
      examples: [['claims_pause', 'operator', false, [wait(73 * 60, true)]]],
    });
    expect(happened['pause over']).toBeGreaterThan(ways['pause over']);
  });
});
