import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { connectMcp, type McpConnection } from '../../../testing/mcp.ts';
import { callTool, type Json } from '../../../testing/rest.ts';
import { serveWorld, type ServedWorld } from '../../../testing/serving.ts';
import { verifies } from '../../../testing/verifies.ts';
import { testWorld, type World } from '../../../testing/world.ts';
import { DEFAULT_LOOP_LIMITS } from '../../checkin/index.ts';
import { ensurePartitions } from '../../postgres/index.ts';
import { credentialHash } from '../binding.ts';
import { DAY_MS } from '../../runtime/index.ts';

/** What one client may do in a round. */
type Op =
  | { readonly kind: 'fresh' | 'nothing' | 'steal' | 'race' }
  | {
      readonly kind:
        'resume' | 'identify' | 'token' | 'checkIn' | 'rebind' | 'archive' | 'reactivate' | 'revoke' | 'revokeAll';
      /** Which of the credentials that the client has, counted modulo how many there are. */
      readonly which: number;
    };

/** What happens to all between two rounds. */
type Event = 'none' | 'minute' | 'day' | 'month' | 'restart';

interface Round {
  readonly ops: readonly Op[];
  readonly event: Event;
}

interface Credential {
  readonly secret: string;
  readonly uuid: string;
  readonly kind: 'session' | 'token';
  strong: boolean;
  alive: boolean;
}

const DEAD_TOKEN = /^BARE_UUID_RESUME_DENIED$|^CONTINUITY_TOKEN_EXPIRED$|^IDENTITY_CONFLICT$/;

/** One client, and all that a model must know to say what the server will answer it. */
class Client {
  readonly agents = new Map<string, 'active' | 'archived'>();
  readonly credentials: Credential[] = [];
  /** When each of its agents reported, by its clock: all report the same, and the fifth time in ten minutes is a loop. */
  readonly #reports = new Map<string, number[]>();
  /** The agent that its MCP session is tied to. */
  tied: string | undefined;
  readonly #url: string;
  readonly #transport: 'rest' | '2025';
  readonly #now: () => number;
  #mcp: McpConnection | undefined;

  constructor(url: string, transport: 'rest' | '2025', now: () => number) {
    this.#url = url;
    this.#transport = transport;
    this.#now = now;
  }

  get isMcp(): boolean {
    return this.#transport === '2025';
  }

  async connect(): Promise<void> {
    if (!this.isMcp) return;
    await this.close();
    this.#mcp = await connectMcp(this.#url, '2025');
    this.tied = undefined;
  }

  async close(): Promise<void> {
    await this.#mcp?.close().catch(() => undefined);
  }

  async call(name: string, args: Json): Promise<Json> {
    if (this.#mcp !== undefined) return (await this.#mcp.call(name, args)).result;
    return (await callTool(this.#url, name, args)).result;
  }

  pick(kind: Credential['kind'], which: number): Credential | undefined {
    const own = this.credentials.filter((credential) => credential.kind === kind);
    return own[which % Math.max(1, own.length)];
  }

  /** Takes down what an answer hands out. */
  learn(answer: Json, strong: boolean): void {
    const uuid = answer['uuid'] as string;
    const add = (secret: unknown, kind: Credential['kind']) => {
      if (typeof secret !== 'string' || this.credentials.some((known) => known.secret === secret)) return;
      this.credentials.push({ secret, uuid, kind, strong, alive: true });
    };
    add(answer['client_session_id'], 'session');
    add(answer['continuity_token'], 'token');
  }

  born(answer: Json): void {
    const uuid = answer['uuid'] as string;
    expect(answer['error']).toBeUndefined();
    expect(answer).toMatchObject({ success: true, is_new: true });
    expect(this.agents.has(uuid)).toBe(false);
    this.agents.set(uuid, 'active');
    this.learn(answer, true);
    if (this.isMcp) this.tied = uuid;
  }

  async run(op: Op, others: readonly Client[]): Promise<void> {
    switch (op.kind) {
      case 'fresh': {
        this.born(await this.call('onboard', { force_new: true }));
        return;
      }
      case 'nothing': {
        const answer = await this.call('identity', {});
        if (this.tied === undefined) expect(answer).toMatchObject({ success: false, identity_status: 'unbound' });
        else {
          expect(answer['uuid']).toBe(this.tied);
          this.learn(answer, false);
        }
        return;
      }
      case 'race': {
        await this.connect();
        const answers = await Promise.all([this.call('onboard', {}), this.call('onboard', {})]);
        const fresh = answers.filter((answer) => answer['is_new'] === true);
        if (this.isMcp) {
          expect(answers[0]['uuid']).toBe(answers[1]['uuid']);
          expect(fresh).toHaveLength(1);
        } else expect(answers[0]['uuid']).not.toBe(answers[1]['uuid']);
        for (const answer of fresh) this.born(answer);
        for (const answer of answers) this.learn(answer, fresh.includes(answer));
        return;
      }
      case 'steal':
        return this.#steal(others);
      default:
        return this.#use(op.kind, op.which);
    }
  }

  /** Whether one report more of this agent is a loop. The clock moves by minutes, so every cool-down is over or has just begun. */
  #repeats(uuid: string): boolean {
    const { sameTopic, sameTopicWindowMs } = DEFAULT_LOOP_LIMITS;
    const recent = (this.#reports.get(uuid) ?? []).filter((at) => this.#now() - at <= sameTopicWindowMs);
    return recent.length + 1 >= sameTopic;
  }

  /** Tries everything about the others' agents that is no secret. */
  async #steal(others: readonly Client[]): Promise<void> {
    const foreign = others.flatMap((other) => [...other.agents.keys()]);
    const token = this.pick('token', 0)?.secret;
    for (const uuid of foreign.slice(-3)) {
      for (const claim of [
        { agent_uuid: uuid },
        { agent_id: uuid },
        { client_session_id: uuid },
        { client_session_id: `agent-${uuid.slice(0, 12)}` },
        { agent_uuid: uuid, ...(token !== undefined && { continuity_token: token }) },
      ]) {
        for (const name of ['identity', 'check_working_state']) {
          const answer = await this.call(name, claim);
          expect(answer['uuid'] ?? answer['agent_id'], JSON.stringify(claim)).not.toBe(uuid);
        }
      }
    }
  }

  async #use(kind: Exclude<Op['kind'], 'fresh' | 'nothing' | 'steal' | 'race'>, which: number): Promise<void> {
    const credential = this.pick(kind === 'token' ? 'token' : 'session', which);
    if (credential === undefined) return;
    const { secret, uuid, alive, strong } = credential;
    const archived = this.agents.get(uuid) === 'archived';
    const proof = { client_session_id: secret };
    if (kind === 'token') {
      const answer = await this.call('identity', { agent_uuid: uuid, continuity_token: secret });
      // Tied to the same agent, the session may be what binds the call; then it is told of the archive, and no more.
      if (archived && this.tied === uuid)
        expect(answer['error_code'] ?? answer['identity_status']).toMatch(/archived/i);
      else if (alive && archived) expect(answer['error_code']).toBe('AGENT_ARCHIVED');
      else if (alive) {
        expect(answer['uuid']).toBe(uuid);
        this.learn(answer, strong);
      } else if (this.tied === uuid) expect(answer['uuid']).toBe(uuid);
      else expect(answer['error_code']).toMatch(DEAD_TOKEN);
      if (answer['success'] === true && !archived) this.learn(answer, alive && strong);
      return;
    }
    const acts = {
      resume: ['onboard', proof],
      identify: ['identity', proof],
      checkIn: ['sync_state', { ...proof, response_text: 'work' }],
      rebind: ['bind_session', { ...proof, resume: true }],
      archive: ['agent', { ...proof, action: 'archive' }],
      reactivate: ['onboard', { ...proof, reactivate: true }],
      revoke: ['identity', { ...proof, revoke: 'this' }],
      revokeAll: ['identity', { ...proof, revoke: 'all' }],
    } as const;
    const [name, args] = acts[kind];
    const answer = await this.call(name, args);
    const code = answer['error_code'];
    if (!alive) {
      expect(code, kind).toBe('SESSION_UNKNOWN');
      return;
    }
    switch (kind) {
      case 'resume':
      case 'reactivate':
        if (archived && kind === 'resume') {
          expect(code).toBe('AGENT_ARCHIVED');
          return;
        }
        expect(answer, kind).toMatchObject({ uuid, is_new: false });
        if (kind === 'reactivate') this.agents.set(uuid, 'active');
        this.learn(answer, strong);
        if (this.isMcp) this.tied = uuid;
        return;
      case 'identify':
        expect(answer['uuid']).toBe(uuid);
        if (!archived) this.learn(answer, strong);
        return;
      case 'checkIn':
        if (archived) expect(code).toBe('AGENT_ARCHIVED');
        else if (this.#repeats(uuid)) expect(code).toBe('LOOP_DETECTED');
        else {
          expect(answer).toMatchObject({ success: true });
          this.#reports.set(uuid, [...(this.#reports.get(uuid) ?? []), this.#now()]);
        }
        return;
      case 'rebind':
        if (archived) {
          expect(code).toBe('AGENT_ARCHIVED');
          return;
        }
        expect(answer).toMatchObject({ agent_uuid: uuid, bound: this.isMcp });
        if (this.isMcp) this.tied = uuid;
        return;
      case 'archive':
        if (archived) {
          expect(code).toBe('AGENT_ALREADY_ARCHIVED');
          return;
        }
        expect(answer['lifecycle_status']).toBe('archived');
        this.agents.set(uuid, 'archived');
        return;
      case 'revoke':
      case 'revokeAll':
        if (!strong) {
          expect(code).toBe('STRONG_IDENTITY_REQUIRED');
          return;
        }
        expect(answer).toMatchObject({ success: true });
        for (const other of this.credentials) {
          if (other.secret === secret || (kind === 'revokeAll' && other.uuid === uuid)) other.alive = false;
        }
        if (kind === 'revokeAll' && this.tied === uuid) this.tied = undefined;
    }
  }
}

const happen = async (event: Event, w: World, served: ServedWorld, clients: readonly Client[]): Promise<void> => {
  if (event === 'none') return;
  if (event === 'restart') return served.restart();
  w.clock.advance({ minute: 60_000, day: 26 * 3_600_000, month: 31 * DAY_MS }[event]);
  if (event === 'minute') return;
  // What a running server's job does at the turn of a month.
  await ensurePartitions(w.database, w.clock.now());
  for (const client of clients) {
    for (const credential of client.credentials) {
      if (event === 'month') credential.alive = false;
      // Its hour is over: it resumes, as one that has lain about.
      if (credential.kind === 'token') credential.strong = false;
    }
    // Its MCP session is over after a day without use; a client then initialises anew.
    await client.connect();
  }
};

/** PostgreSQL agrees with the model: one agent for each credential, and no agent that nobody onboarded. */
const agree = async (w: World, clients: readonly Client[], before: number): Promise<void> => {
  const known = clients.flatMap(({ credentials }) => credentials);
  const rows = await w.rows(
    'SELECT credential_hash, agent_id FROM core.bindings WHERE credential_hash = ANY($1)',
    known.map(({ secret }) => credentialHash(secret)),
  );
  const owners = new Map(rows.map((row) => [row['credential_hash'], row['agent_id']]));
  for (const { secret, uuid } of known) expect(owners.get(credentialHash(secret))).toBe(uuid);
  const born = clients.reduce((sum, { agents }) => sum + agents.size, 0);
  expect(await w.count('core.agents')).toBe(before + born);
};

const withCredential = fc.record({
  kind: fc.constantFrom(
    'resume',
    'identify',
    'token',
    'checkIn',
    'rebind',
    'archive',
    'reactivate',
    'revoke',
    'revokeAll',
  ) as fc.Arbitrary<'resume'>,
  which: fc.nat(20),
});
const anyOp: fc.Arbitrary<Op> = fc.oneof(
  {
    weight: 3,
    arbitrary: fc.record({ kind: fc.constantFrom('fresh', 'nothing', 'steal', 'race') as fc.Arbitrary<'fresh'> }),
  },
  { weight: 7, arbitrary: withCredential },
);
const CLIENTS = ['rest', 'rest', '2025', '2025'] as const;
const anyRound: fc.Arbitrary<Round> = fc.record({
  ops: fc.array(anyOp, { minLength: CLIENTS.length, maxLength: CLIENTS.length }),
  event: fc.oneof(
    { weight: 12, arbitrary: fc.constantFrom('none', 'minute') },
    { weight: 2, arbitrary: fc.constant<Event>('restart') },
    { weight: 1, arbitrary: fc.constantFrom('day', 'month') },
  ),
});

describe('identity against its model', async () => {
  const w = await testWorld();

  it(
    'holds for any sequence, from clients over REST and MCP at once, across restarts',
    { timeout: 120_000 },
    async () => {
      verifies('BW-identity.02', 'BW-identity.04', 'BW-identity.05', 'BW-identity.13', 'W3-3.02', 'W3-3.03');
      const served = await serveWorld(w);
      const ran = { ops: 0, restarts: 0, bound: 0 };
      await fc.assert(
        fc.asyncProperty(fc.array(anyRound, { minLength: 5, maxLength: 25 }), async (rounds) => {
          const before = await w.count('core.agents');
          const clients = CLIENTS.map((transport) => new Client(served.url, transport, () => w.clock.now()));
          for (const client of clients) await client.connect();
          for (const { ops, event } of rounds) {
            await Promise.all(
              clients.map((client, i) =>
                client.run(
                  ops[i]!,
                  clients.filter((other) => other !== client),
                ),
              ),
            );
            await happen(event, w, served, clients);
            ran.ops += ops.length;
            ran.restarts += event === 'restart' ? 1 : 0;
          }
          await agree(w, clients, before);
          ran.bound += clients.reduce((sum, { credentials }) => sum + credentials.length, 0);
          for (const client of clients) await client.close();
        }),
        { numRuns: 25, endOnFailure: true },
      );
      await served.close();
      expect(w.node.crashes).toEqual([]);
      expect(ran.ops).toBeGreaterThan(500);
      expect(ran.restarts).toBeGreaterThan(5);
      expect(ran.bound).toBeGreaterThan(200);
    },
  );
});
