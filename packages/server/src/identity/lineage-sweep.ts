import { ok } from '@breakwater/contract';
import type { AgentHead, Agents } from '../agents/index.ts';
import { SIGNALS, type Baselines } from '../baselines/index.ts';
import type { Clock, Ids } from '../runtime/index.ts';
import { scoreContinuity, type Behaviour, type Score } from './rules/continuity-score.ts';
import { evaluateLineage, needsScore } from './rules/lineage-evaluation.ts';

/** One turn may take this long for each agent. */
const AGENT_MS = 10_000;

/** What one turn of the sweep did. */
interface Swept {
  confirmed: number;
  demoted: number;
  archived: number;
}

/**
 * Settles declared lineage in the background (BW-identity.10): by the rules of `rules/lineage-evaluation.ts`, one change
 * with its score and its audit row in one transaction. An evaluation that changes nothing writes nothing; when it was is
 * remembered here, and after a restart the agent is only looked at once more.
 */
export class LineageSweep {
  readonly #agents: Agents;
  readonly #baselines: Pick<Baselines, 'table'>;
  readonly #clock: Clock;
  readonly #ids: Ids;
  readonly #evaluated = new Map<string, string>();

  constructor(options: { agents: Agents; baselines: Pick<Baselines, 'table'>; clock: Clock; ids: Ids }) {
    this.#agents = options.agents;
    this.#baselines = options.baselines;
    this.#clock = options.clock;
    this.#ids = options.ids;
  }

  /** Looks at every agent that has a parent. */
  async run(): Promise<Swept> {
    const swept: Swept = { confirmed: 0, demoted: 0, archived: 0 };
    const children = [...this.#agents.table.entries()].filter(([, head]) => head.parentAgentId !== null);
    const known = new Set(children.map(([agentId]) => agentId));
    for (const agentId of this.#evaluated.keys()) if (!known.has(agentId)) this.#evaluated.delete(agentId);
    for (const [agentId] of children) {
      const done = await this.#evaluate(agentId);
      if (done !== undefined) swept[done] += 1;
    }
    return swept;
  }

  async #evaluate(agentId: string): Promise<keyof Swept | undefined> {
    let done: keyof Swept | undefined;
    const acted = await this.#agents.act(agentId, this.#clock.now() + AGENT_MS, ({ head }) => {
      done = undefined;
      const now = this.#clock.now();
      const { parentAgentId } = head;
      // A parent that is given up during its pause would take its child out of it.
      const parent = parentAgentId === null ? undefined : this.#agents.table.read(parentAgentId);
      if (parent?.ok === true && this.#agents.heldInMemory(parent.value) !== undefined) {
        return Promise.resolve(ok({ reply: null }));
      }
      const lineage = { ...head.lineage, last_eval_at: this.#evaluated.get(agentId) ?? head.lineage.last_eval_at };
      const claim = { lineage, parentAgentId, now };
      const score = needsScore(claim) && parentAgentId !== null ? this.#score(parentAgentId, head) : undefined;
      const verdict = evaluateLineage({ ...claim, score });
      if (verdict.kind === 'skip' || verdict.kind === 'stamp') {
        if ('lineage' in verdict) this.#evaluated.set(agentId, verdict.lineage.last_eval_at ?? '');
        return Promise.resolve(ok({ reply: null }));
      }
      done = ({ confirm: 'confirmed', demote: 'demoted', archive: 'archived' } as const)[verdict.kind];
      const scoreId = this.#ids.uuid();
      const change = {
        at: now,
        events: [verdict.event] as const,
        lineage: score === undefined ? verdict.lineage : { ...verdict.lineage, score_id: scoreId },
        ...(score !== undefined &&
          parentAgentId !== null && {
            lineageScore: {
              score_id: scoreId,
              parent_id: parentAgentId,
              plausibility: score.plausibility,
              components: score.components,
              observations: score.observations,
              parent_mature: score.parentMature,
              reasons: score.reasons,
            },
          }),
        ...(verdict.clearsParent && { parentAgentId: null }),
      };
      return Promise.resolve(ok({ reply: null, change }));
    });
    return acted.ok ? done : undefined;
  }

  #score(parentAgentId: string, child: AgentHead): Score {
    const parent = this.#agents.table.read(parentAgentId);
    const updates = parent.ok ? parent.value.updateCount : 0;
    return scoreContinuity(this.#behaviour(parentAgentId, updates), this.#behaviour(child.agentId, child.updateCount));
  }

  #behaviour(agentId: string, updateCount: number): Behaviour {
    const reading = this.#baselines.table.read(agentId);
    const metrics: Record<string, { mean: number; std: number; count: number }> = {};
    if (reading.ok) {
      for (const signal of SIGNALS) {
        const { mean, m2, count } = reading.value[signal];
        if (count > 1) metrics[signal] = { mean, std: Math.sqrt(m2 / (count - 1)), count };
      }
    }
    return { updateCount, metrics };
  }
}
