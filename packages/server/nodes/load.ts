import { randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { createOperator, revokeOperator } from '../src/identity/index.ts';
import type { Random } from '../src/runtime/index.ts';
import type { Json } from '../testing/rest.ts';
import type { Cluster } from './cluster.ts';
import type { Reading, SentCheckIn } from './history.ts';

/** No server may keep a caller longer; whoever is frozen does. */
const PATIENCE_MS = 20_000;
const READ_MS = 250;
/** A change is on every other node that is well within this time (docs/operations.md), with room for a busy machine. */
export const NEWS_MS = 2_000 + 1_000;
const UNSERVED = new Set(['STORAGE_UNAVAILABLE', 'NOT_READY', 'TIMEOUT', 'OVERLOADED', 'INTERNAL_ERROR']);
/** After these it is open whether a write took effect. */
const OPEN = new Set(['TIMEOUT', 'INTERNAL_ERROR']);

export interface Answer {
  /** 0: there was none. */
  readonly status: number;
  readonly code: string;
  readonly message: string;
  readonly result: Json;
}

const ask = async (url: string, name: string, args: Json, operator?: string): Promise<Answer> => {
  try {
    const response = await fetch(new URL('/v1/tools/call', url), {
      method: 'POST',
      headers: {
        'content-type': 'application/json',
        ...(operator !== undefined && { 'x-breakwater-operator': operator }),
      },
      body: JSON.stringify({ name, arguments: args }),
      signal: AbortSignal.timeout(PATIENCE_MS),
    });
    const body = (await response.json()) as Json;
    const result = (body['result'] ?? body) as Json;
    const isOk = response.status === 200 && result['success'] === true;
    const word = (...keys: readonly string[]): string | undefined =>
      keys.flatMap((key) => [result[key], body[key]]).find((value) => typeof value === 'string');
    const code = isOk ? 'ok' : (word('error_code', 'reason') ?? String(response.status));
    return { status: response.status, code, message: word('error', 'message') ?? '', result };
  } catch {
    return { status: 0, code: 'gone', message: '', result: {} };
  }
};

export interface Agent {
  readonly agentId: string;
  readonly secret: string;
}

/** What an act on one node asked of the others, and how it went. */
export interface Acts {
  acts: number;
  /** Calls on another node that showed what holds there. */
  shown: number;
  /** The longest time until another node's reading of an agent followed, ms. */
  slowestNewsMs: number;
}

/** Clients of all nodes at once, and what they saw. */
export class Load {
  readonly #cluster: Cluster;
  readonly #random: Random;
  readonly sent: SentCheckIn[] = [];
  readonly readings: Reading[] = [];
  readonly findings: string[] = [];
  readonly acts: Acts = { acts: 0, shown: 0, slowestNewsMs: 0 };
  /** Waits for news of the other nodes, to be judged when the faults are known. */
  readonly news: { readonly node: number; readonly from: number; readonly to: number; readonly what: string }[] = [];
  #agents: Agent[] = [];
  #operator = '';
  #serial = 0;
  #isOver = false;
  #work: Promise<unknown>[] = [];

  constructor(cluster: Cluster, random: Random) {
    this.#cluster = cluster;
    this.#random = random;
  }

  get agents(): readonly Agent[] {
    return this.#agents;
  }

  /** Begins: `writers` clients that check in a few agents over all nodes, one that acts, and one that reads readiness. */
  async begin(agents: number, writers: number): Promise<void> {
    this.#operator = await this.#newOperator('chief');
    for (let i = 0; i < agents; i += 1) this.#agents.push(await this.#born(i % this.#cluster.urls.length));
    this.#work = [
      ...Array.from({ length: writers }, () => this.#write()),
      this.#act(),
      ...this.#cluster.urls.map((_, node) => this.#read(node)),
    ];
  }

  async end(): Promise<void> {
    this.#isOver = true;
    await Promise.all(this.#work);
  }

  /** One check-in; noted. */
  async checkIn(agent: Agent, node: number): Promise<Answer> {
    const mark = `m${(this.#serial += 1)}`;
    const startedAt = performance.now();
    const args = { response_text: `Finished piece ${mark}.`, confidence: 0.8, complexity: 0.4, task_label: mark };
    const answer = await ask(this.#url(node), 'process_agent_update', { ...args, client_session_id: agent.secret });
    const { status, code, message, result } = answer;
    // That a call did not take effect is believed only where it is said.
    const isOpen =
      status === 0 || OPEN.has(code) || (code === 'STORAGE_UNAVAILABLE' && !message.includes('nothing was'));
    this.sent.push({
      agentId: agent.agentId,
      node,
      mark,
      startedAt,
      endedAt: performance.now(),
      end: code === 'ok' ? 'ok' : isOpen ? 'unknown' : 'refused',
      isUnserved: status === 503 || (status !== 0 && UNSERVED.has(code)),
      code,
      ...(code === 'ok' && { update: Number(result['update']) }),
    });
    return answer;
  }

  #url(node: number): string {
    return this.#cluster.urls[node] ?? '';
  }

  #any(): number {
    return Math.floor(this.#random() * this.#cluster.urls.length);
  }

  async #born(node: number): Promise<Agent> {
    for (;;) {
      const { code, result } = await ask(this.#url(node), 'onboard', { force_new: true });
      if (code === 'ok') return { agentId: String(result['uuid']), secret: String(result['client_session_id']) };
      await sleep(200);
    }
  }

  async #newOperator(name: string): Promise<string> {
    const [secret, now] = [`bwo_${randomUUID()}`, Date.now()];
    const made = await createOperator(this.#cluster.database, {
      name,
      scopes: ['operator:act'],
      now,
      expiresAt: now + 86_400_000,
      secret,
      by: 'nodes',
    });
    if (!made.ok) throw new Error(made.refusal.message);
    return secret;
  }

  async #write(): Promise<void> {
    while (!this.#isOver) {
      const agent = this.#agents[Math.floor(this.#random() * this.#agents.length)];
      if (agent === undefined) return;
      const { status } = await this.checkIn(agent, this.#any());
      // A node that is away is not asked in a busy loop.
      await sleep(status === 200 ? 5 : 100);
    }
  }

  async #read(node: number): Promise<void> {
    while (!this.#isOver) {
      const at = performance.now();
      const status = await fetch(new URL('/health/ready', this.#url(node)), {
        signal: AbortSignal.timeout(2_000),
      }).then(
        async (response) => {
          await response.arrayBuffer();
          return response.status;
        },
        () => 0,
      );
      this.readings.push({ node, at, status });
      await sleep(READ_MS);
    }
  }

  /** Acts on one node and asks another one, in turn for each kind of act. */
  async #act(): Promise<void> {
    const kinds = [
      () => this.#pauseAndResume(),
      () => this.#revokeSession(),
      () => this.#turnFlag(),
      () => this.#revokeOperator(),
    ];
    for (let turn = 0; !this.#isOver; turn += 1) {
      await kinds[turn % kinds.length]?.().catch((error: unknown) => {
        // PostgreSQL itself is away for a moment at a failover.
        if (!this.#isOver) this.findings.push(...(error instanceof TypeError ? [String(error)] : []));
      });
      await sleep(50);
    }
  }

  #twoNodes(): [number, number] {
    const one = this.#any();
    return [one, (one + 1 + Math.floor(this.#random() * (this.#cluster.urls.length - 1))) % this.#cluster.urls.length];
  }

  /** What was acknowledged on one node holds at the next call of the other: `wrong` codes there are findings. */
  #judge(what: string, answer: Answer, right: (code: string) => boolean): void {
    if (answer.status === 0 || answer.status === 503 || UNSERVED.has(answer.code)) return;
    this.acts.shown += 1;
    if (!right(answer.code))
      this.findings.push(`STALE: ${what}, and the next call on another node was answered ${answer.code}`);
  }

  async #pauseAndResume(): Promise<void> {
    const [a, b] = this.#twoNodes();
    const agent = await this.#born(a);
    this.#agentsOfActs.push(agent);
    const target = { target_agent_id: agent.agentId, reason: 'A try.' };
    const paused = await ask(this.#url(a), 'agent', { action: 'pause', ...target }, this.#operator);
    if (paused.code !== 'ok') return;
    this.acts.acts += 1;
    this.#judge('paused', await this.checkIn(agent, b), (code) => code === 'AGENT_PAUSED');
    const resumed = await ask(this.#url(a), 'operator_resume_agent', target, this.#operator);
    if (resumed.code !== 'ok') return;
    this.acts.acts += 1;
    this.#judge('resumed', await this.checkIn(agent, b), (code) => code === 'ok');
    await this.#followed(agent, a, b);
  }

  readonly #agentsOfActs: Agent[] = [];
  get agentsOfActs(): readonly Agent[] {
    return this.#agentsOfActs;
  }

  /** Waits until another node's reading of an agent shows a check-in that was made here. */
  async #followed(agent: Agent, a: number, b: number): Promise<void> {
    const { code, result } = await this.checkIn(agent, a);
    if (code !== 'ok') return;
    const from = performance.now();
    for (;;) {
      const read = await ask(this.#url(b), 'get_governance_metrics', { client_session_id: agent.secret });
      const to = performance.now();
      if (read.code === 'ok' && Number(read.result['update']) >= Number(result['update'])) {
        this.news.push({ node: b, from, to, what: 'a check-in' });
        return;
      }
      if (to - from > 4 * NEWS_MS || this.#isOver) {
        this.news.push({ node: b, from, to, what: 'a check-in (never seen)' });
        return;
      }
      await sleep(20);
    }
  }

  async #revokeSession(): Promise<void> {
    const [a, b] = this.#twoNodes();
    const agent = await this.#born(a);
    this.#agentsOfActs.push(agent);
    await this.checkIn(agent, b);
    const revoked = await ask(this.#url(a), 'identity', { client_session_id: agent.secret, revoke: 'this' });
    if (revoked.code !== 'ok') return;
    this.acts.acts += 1;
    this.#judge('its session was revoked', await this.checkIn(agent, b), (code) => code === 'SESSION_UNKNOWN');
  }

  async #turnFlag(): Promise<void> {
    const [a, b] = this.#twoNodes();
    for (const value of ['enforce', 'observe']) {
      const args = { action: 'set', key: 'identity_strict_mode', value, reason: 'A try.' };
      const set = await ask(this.#url(a), 'flags', args, this.#operator);
      if (set.code !== 'ok') continue;
      this.acts.acts += 1;
      // An onboard that proves nothing and asks for nothing new is what the flag is about.
      this.#judge(`the flag was set to ${value}`, await ask(this.#url(b), 'onboard', {}), (code) =>
        value === 'enforce' ? code === 'LINEAGE_DECLARATION_REQUIRED' : code === 'ok',
      );
    }
  }

  async #revokeOperator(): Promise<void> {
    const b = this.#any();
    const name = `operator ${(this.#serial += 1)}`;
    const secret = await this.#newOperator(name);
    const [agent] = this.#agents;
    const target = { target_agent_id: agent?.agentId ?? '', purpose: name };
    const known = await ask(this.#url(b), 'agent', { action: 'update', ...target }, secret);
    if (!(await revokeOperator(this.#cluster.database, name, Date.now(), 'nodes')).ok || known.code !== 'ok') return;
    this.acts.acts += 1;
    const after = await ask(this.#url(b), 'agent', { action: 'update', ...target, purpose: 'never' }, secret);
    this.#judge('an operator was revoked', after, (code) => code === 'UNAUTHORIZED');
  }
}
