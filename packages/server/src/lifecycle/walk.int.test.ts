import { afterAll, describe, expect, it } from 'vitest';
import { operator } from '../../testing/calls.ts';
import { connectMcp, GENERATIONS, type Generation, type McpConnection } from '../../testing/mcp.ts';
import { callTool, type Json } from '../../testing/rest.ts';
import { serveWorld } from '../../testing/serving.ts';
import { verifies } from '../../testing/verifies.ts';
import { nextStep } from './rules/next-step.ts';
import { verdictOf, WITHOUT_AUTHORITY, type Verdict } from './rules/acts.ts';
import { standingOf, STANDINGS, type Standing } from './rules/standings.ts';
import { CALLS, heldWorld, HOUR, PAUSED_AS, type ActCall } from './testing/held.ts';

/** Who acts on the agent. */
const ACTORS = ['itself', 'inferred', 'child', 'parent', 'another', 'nobody', 'operator', 'reader'] as const;
type Actor = (typeof ACTORS)[number];

/** One row for all that have no authority over the agent; undefined: the call is about the caller, and not about the agent. */
const verdictFor = (actor: Actor, { act, names, proof }: ActCall, standing: Standing): Verdict | undefined => {
  if (actor === 'itself') return verdictOf('owner', act, standing);
  // Whether the inferred writes at all is a live flag's to say; it is off of here, so that the table itself is asked.
  if (actor === 'inferred' && names !== true) {
    return proof === true ? WITHOUT_AUTHORITY.inferred : verdictOf('owner', act, standing);
  }
  if (names !== true) return undefined;
  if (act === 'read') return 'yes';
  if (actor === 'operator') return verdictOf('operator', act, standing);
  if (act === 'pause') return verdictOf('owner', act, standing);
  return WITHOUT_AUTHORITY[actor === 'child' || actor === 'parent' ? 'another' : actor];
};

const { w, ann, onboard, put, pause, stateOf } = await heldWorld();
const eve = await operator(w.node, w.database, 'operator:read', 'eve');
const served = await serveWorld(w);
const connections: McpConnection[] = [];
afterAll(async () => {
  await Promise.all(connections.map((connection) => connection.close()));
  await served.close();
});

interface Family {
  readonly agent: string;
  readonly kind: string;
  readonly secrets: Readonly<Partial<Record<Actor, string>>>;
}

/** Lets an agent stand so; `parent` is the secret of its parent. */
const stand = async (
  standing: Standing,
  uuid: string,
  parent?: string,
  kind = PAUSED_AS[standing]?.[0],
): Promise<void> => {
  const archive = (by: string) => ({ at: new Date(w.clock.now()).toISOString(), by, actor: null, reason: 'r' });
  if (kind !== undefined) return pause(uuid, kind);
  switch (standing) {
    case 'inherited': {
      const { body } = await w.call('identity', { client_session_id: parent });
      return pause(body['uuid'] as string, 'claims_pause');
    }
    case 'pause_over':
      return pause(uuid, 'claims_pause', -1 / HOUR);
    case 'archived':
      return put(uuid, 'archived', null, archive('owner'));
    case 'archived_by_operator':
      return put(uuid, 'archived', null, archive('operator'));
    case 'disabled':
    case 'deleted':
      return put(uuid, standing, null, archive('operator'));
    default:
      return put(uuid, standing, null);
  }
};

let serial = 0;
/** An agent that stands so, with everybody who may try something on it. */
const family = async (standing: Standing, kind = PAUSED_AS[standing]?.[0]): Promise<Family> => {
  const place = { address: '10.9.0.1', userAgent: `walk/${(serial += 1)}` };
  const parent = await onboard();
  const declared = (by: string) => ({ parent_agent_id: by, spawn_reason: 'subagent' });
  w.node.gates.pins = 'off';
  const agent = await onboard(declared(parent.uuid), place);
  const again = await w.call('onboard', {}, place);
  w.node.gates.pins = 'enforce';
  if (again.body['uuid'] !== agent.uuid) throw new Error(`not inferred: ${JSON.stringify(again.body)}`);
  const [child, another] = [await onboard(declared(agent.uuid)), await onboard()];
  await stand(standing, agent.uuid, parent.secret, kind);
  return {
    agent: agent.uuid,
    kind: kind ?? standing,
    secrets: {
      itself: agent.secret,
      inferred: again.body['client_session_id'] as string,
      child: child.secret,
      parent: parent.secret,
      another: another.secret,
    },
  };
};

const headersOf = (actor: Actor): Record<string, string> => {
  const secret = actor === 'operator' ? ann.operatorSecret : actor === 'reader' ? eve : undefined;
  return secret === undefined ? {} : { 'x-breakwater-operator': secret };
};

type Transport = 'rest' | Generation;
const TRANSPORTS: readonly Transport[] = ['rest', ...GENERATIONS];
const open = new Map<string, McpConnection>();
const call = async (transport: Transport, actor: Actor, tool: string, args: Json): Promise<Json> => {
  const headers = headersOf(actor);
  if (transport === 'rest') return (await callTool(served.url, tool, args, headers)).result;
  // A session of 2025 belongs to an agent from its first proof on: each call that proves somebody has one of its own.
  const key =
    transport === '2025' ? `${transport} ${actor} ${String(args['client_session_id'])}` : `${transport} ${actor}`;
  let connection = open.get(key);
  if (connection === undefined) {
    connection = await connectMcp(served.url, transport, headers);
    connections.push(connection);
    open.set(key, connection);
  }
  return (await connection.call(tool, args)).result;
};

/** Refusals after the table's yes, of a risk that nobody measured. */
const OF_RISK = ['SOFT_SAFETY_FAILED'];
const HELD_CODES = ['AGENT_PAUSED', 'FORBIDDEN'];

/** The refusal of a held agent tells the one step that the rule knows, and the table allows what it sends the agent to. */
const expectOneStep = async (agent: string, body: Json, what: string): Promise<void> => {
  const head = await w.node.agents.find(agent);
  const hold = head && (await w.node.agents.holdOf(head));
  if (head === undefined || hold === undefined) return;
  const step = nextStep(head, hold);
  expect(body['recovery'], what).toMatchObject({ action: step.say, related_tools: step.tools });
  expect(JSON.stringify(body), what).toContain('because of the test');
  const standing = standingOf(head, hold);
  if (step.say.includes('request_review')) expect(verdictOf('owner', 'request_review', standing), what).toBe('yes');
  if (step.say.includes('self_recovery')) expect(verdictOf('owner', 'recover', standing), what).toBe('yes');
};

describe('who may do what to an agent, over REST and both protocols of MCP', () => {
  const kinds = STANDINGS.flatMap((standing) =>
    (PAUSED_AS[standing] ?? [undefined]).map((kind) => ({ standing, kind, name: kind ?? standing })),
  );
  it.each(kinds)('$name: every actor, act and transport says what the table says', async ({ standing, kind }) => {
    verifies('BW-breaker.03', 'BW-breaker.04');
    let current = await family(standing, kind);
    let before = await stateOf(current.agent);
    let cells = 0;
    let turn = 0;
    // Another word for the same pause changes nothing for others.
    for (const actor of kind === undefined || kind === PAUSED_AS[standing]?.[0] ? ACTORS : (['itself'] as const)) {
      for (const one of CALLS) {
        const verdict = verdictFor(actor, one, standing);
        if (verdict === undefined) continue;
        // The agent itself goes over all of them; of the others, each cell goes over one, in turn.
        turn += 1;
        for (const transport of actor === 'itself' ? TRANSPORTS : TRANSPORTS.slice(turn % 3).slice(0, 1)) {
          cells += 1;
          const secret = current.secrets[actor];
          const args = {
            ...one.args,
            ...(secret !== undefined && { client_session_id: secret }),
            ...(one.names === true && { target_agent_id: current.agent }),
          };
          const body = await call(transport, actor, one.tool, args);
          const what = `${current.kind}, ${actor} over ${transport}: ${one.tool} ${JSON.stringify(one.args)} → ${JSON.stringify(body)}`;
          const code = body['error_code'];
          if (verdict === 'yes') {
            if (!OF_RISK.includes(String(code))) expect(body['success'] ?? true, what).toBe(true);
          } else {
            expect(code, what).toBe(verdict);
            expect(await stateOf(current.agent), what).toBe(before);
          }
          if (['itself', 'inferred'].includes(actor) && HELD_CODES.includes(verdict))
            await expectOneStep(current.agent, body, what);
          const after = verdict === 'yes' && one.act !== 'read' && one.act !== 'simulate';
          if (after && (await stateOf(current.agent)) !== before) current = await family(standing, kind);
          if (verdict === 'yes') before = await stateOf(current.agent);
        }
      }
    }
    expect(cells).toBeGreaterThan(60);
  });
});

describe('the MCP session of an agent', () => {
  it.each(STANDINGS)(
    '%s: is given to another agent as the table says, and to its own always but at the end',
    async (standing) => {
      verifies('BW-breaker.03');
      const { agent, secrets } = await family('active');
      const connection = await connectMcp(served.url, '2025');
      connections.push(connection);
      const bind = (secret: string | undefined) =>
        connection.call('bind_session', { resume: true, client_session_id: secret });
      expect((await bind(secrets.itself)).result['bound']).toBe(true);
      await stand(standing, agent, secrets.parent);
      const before = await stateOf(agent);
      const own = verdictOf('owner', 'update', standing);
      expect((await bind(secrets.itself)).result['error_code'] ?? 'yes').toBe(own === 'AGENT_PAUSED' ? 'yes' : own);
      const { result } = await bind(secrets.another);
      expect(result['error_code'] ?? 'yes').toBe(verdictOf('owner', 'leave_session', standing));
      if (result['error_code'] === undefined) {
        expect((await connection.call('identity', {})).result['uuid']).not.toBe(agent);
      } else {
        expect(await stateOf(agent)).toBe(before);
        expect((await connection.call('identity', {})).result['uuid']).toBe(agent);
        await expectOneStep(agent, result, standing);
        // Ended by its agent, the session is over, and starts nobody either.
        expect(
          (await connection.call('identity', { client_session_id: secrets.itself, revoke: 'all' })).result['revoked'],
        ).toBeGreaterThan(0);
        const agents = await w.count('core.agents');
        expect((await connection.call('onboard', { force_new: true }).catch(() => ({ isError: true }))).isError).toBe(
          true,
        );
        expect(await w.count('core.agents')).toBe(agents);
      }
    },
  );
});
