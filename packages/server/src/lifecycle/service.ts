import { ok, refuse, type Result, type Refusal } from '@breakwater/contract';
import type { AgentChange, AgentHead, AgentMemory, Agents, AuditDraft, Hold } from '../agents/index.ts';
import type { Database } from '../postgres/index.ts';
import type { Clock, Columns, Ids } from '../runtime/index.ts';
import type { StandingChange } from './rules/authority.ts';
import { liveSignals } from './rules/signs-of-life.ts';
import * as sql from './sql.ts';

/** Decides on a change of an agent, given its head, what only PostgreSQL has of it, and what holds it. */
type DecideStanding = (head: AgentHead, stored: sql.RecordRow, hold: Hold | undefined) => Result<StandingChange>;

/** Resets the claims detector. Returns the new memory and the part of it to persist. */
type SettleClaims = (memory: AgentMemory) => {
  readonly memory: AgentMemory;
  readonly evidence: NonNullable<AgentChange['evidence']>;
};

const changeOf = ({ preferences, ...standing }: StandingChange, at: number): AgentChange => ({
  at,
  ...standing,
  ...(preferences !== undefined && { metadata: { preferences } }),
});

/** Changes the standing of agents by the rules of `rules/`, and looks them up. */
export class Lifecycle {
  readonly #agents: Agents;
  readonly #database: Database;
  readonly #clock: Clock;
  readonly #settle: SettleClaims;
  readonly #ids: Pick<Ids, 'uuid'>;

  constructor(options: {
    agents: Agents;
    database: Database;
    clock: Clock;
    ids: Pick<Ids, 'uuid'>;
    settleClaims: SettleClaims;
  }) {
    this.#agents = options.agents;
    this.#database = options.database;
    this.#clock = options.clock;
    this.#settle = options.settleClaims;
    this.#ids = options.ids;
  }

  get now(): number {
    return this.#clock.now();
  }

  /** A new id of an act. */
  newId(): string {
    return this.#ids.uuid();
  }

  /** Every agent, from memory. */
  heads(): readonly AgentHead[] {
    return this.#agents.fleet.items;
  }

  /** Every agent, from memory, by what lists ask of each. */
  get fleet(): Columns<AgentHead> {
    return this.#agents.fleet;
  }

  /** An agent by its id, or by exactly its name when only one bears it; a name looks up, and never proves anything. */
  async find(target: string): Promise<Result<AgentHead>> {
    const byId = /^[0-9a-f-]{36}$/i.test(target) ? await this.#agents.find(target.toLowerCase()) : undefined;
    if (byId !== undefined) return ok(byId);
    const named = this.#agents.named(target).filter(({ status }) => status !== 'deleted');
    const [only, ...others] = named;
    if (only === undefined) return refuse('AGENT_NOT_FOUND', `No agent has this id or name: ${target}`);
    if (others.length > 0) {
      return refuse('PARAMETER_ERROR', `target_agent_id: ${named.length} agents bear this name; send the id.`, {
        details: { parameter: 'target_agent_id' },
      });
    }
    return ok(only);
  }

  /** What holds an agent now. */
  holdOf(head: AgentHead): Promise<Hold | undefined> {
    return this.#agents.holdOf(head);
  }

  /** What lists do not show of an agent. */
  async record(agentId: string): Promise<sql.RecordRow> {
    const rows = await this.#database.query<sql.RecordRow>(sql.selectRecord(agentId));
    return rows[0] ?? { notes: null, metadata: {}, last_seen: null, successors: [], successor_of: [] };
  }

  /** Signs that an agent is at work. */
  signsOfLife(head: AgentHead, stored: sql.RecordRow): readonly string[] {
    return liveSignals({
      lastSeenBindingMs: stored.last_seen,
      lastActivityMs: head.lastActivityAt ?? head.createdAt,
      now: this.now,
    });
  }

  /**
   * Decides and makes durable one change of an agent's standing; gives the agent after it. `recordOf` names the row of the
   * audit trail that a refusal leaves; undefined: none.
   */
  async change(
    agentId: string,
    deadline: number,
    decide: DecideStanding,
    recordOf?: (refusal: Refusal) => AuditDraft | undefined,
  ): Promise<Result<AgentHead>> {
    const acted = await this.#agents.act(agentId, deadline, async ({ head, memory }) => {
      const decided = decide(head, await this.record(agentId), await this.holdOf(head));
      if (!decided.ok) {
        const event = recordOf?.(decided.refusal);
        if (event === undefined) return decided;
        return ok({ refusal: decided.refusal, change: { at: this.now, events: [event] } });
      }
      const change = changeOf(decided.value, this.now);
      if (head.status !== 'paused' || change.status !== 'active') return ok({ reply: null, change });
      // What paused the agent is answered for; held against it still, it would be paused by its very next check-in.
      const settled = this.#settle(memory);
      return ok({ reply: null, memory: settled.memory, change: { ...change, evidence: settled.evidence } });
    });
    if (!acted.ok) return acted;
    const head = await this.#agents.find(agentId);
    return head === undefined ? refuse('AGENT_NOT_FOUND', `No agent ${agentId}.`) : ok(head);
  }
}
