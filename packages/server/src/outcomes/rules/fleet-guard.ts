import { MINUTE_MS } from '../../runtime/index.ts';

const MINUTES = 60;
/** With fewer results of others there is no outage to speak of. */
const LEAST_RESULTS = 20;
/** How far the others may fall short of their claims on average before no bet is placed. */
const SHORTFALL = 0.3;

/** Graded results of one agent in one minute. */
export interface FleetCount {
  readonly agentId: string;
  /** Minutes since the epoch. */
  readonly minute: number;
  readonly results: number;
  readonly sumClaim: number;
  readonly failed: number;
}

/** What the other agents' results of the last hour came to. */
export interface OthersReading {
  readonly results: number;
  /** Mean claim less mean result, -1 to 1; 0 without results. */
  readonly shortfall: number;
  /** Whether they fail as one: then a failure says little about this agent, and no bet is placed on it. */
  readonly isOutage: boolean;
}

/** How many other agents had graded results in the last hour, and how many of them at least one failure. */
export interface OtherAgents {
  readonly agents: number;
  readonly failing: number;
}

export const minuteOf = (at: number): number => Math.floor(at / MINUTE_MS);

/** The first minute that counts at `now`. */
export const firstMinute = (now: number): number => minuteOf(now) - MINUTES + 1;

interface Sums {
  results: number;
  sumClaim: number;
  failed: number;
}
interface Minute extends Sums {
  readonly agents: Map<string, Sums>;
}

const add = (to: Sums, { results, sumClaim, failed }: Sums): void => {
  to.results += results;
  to.sumClaim += sumClaim;
  to.failed += failed;
};

/**
 * The graded results of all agents in the last hour, by minute and agent (BW-outcomes.07). Sums are kept for each minute,
 * so that what the others came to costs sixty look-ups and not a walk over the fleet.
 */
export class FleetHour {
  readonly #minutes = new Map<number, Minute>();

  /** Takes what PostgreSQL has of the minutes from `from` on, in place of what was known of them. */
  replace(from: number, counts: readonly FleetCount[]): void {
    for (const minute of this.#minutes.keys()) if (minute >= from) this.#minutes.delete(minute);
    for (const count of counts) this.add(count);
  }

  add(count: FleetCount): void {
    let minute = this.#minutes.get(count.minute);
    if (minute === undefined) {
      minute = { results: 0, sumClaim: 0, failed: 0, agents: new Map() };
      this.#minutes.set(count.minute, minute);
    }
    let agent = minute.agents.get(count.agentId);
    if (agent === undefined) minute.agents.set(count.agentId, (agent = { results: 0, sumClaim: 0, failed: 0 }));
    add(minute, count);
    add(agent, count);
  }

  /** Forgets what is over at `now`. */
  forget(now: number): void {
    for (const minute of this.#minutes.keys()) if (minute < firstMinute(now)) this.#minutes.delete(minute);
  }

  /** What agents other than `agentId` came to in the hour up to `now`. */
  others(agentId: string, now: number): OthersReading {
    const sum = { results: 0, sumClaim: 0, failed: 0 };
    const first = firstMinute(now);
    for (const [number, minute] of this.#minutes) {
      if (number < first) continue;
      add(sum, minute);
      const own = minute.agents.get(agentId);
      if (own !== undefined) add(sum, { results: -own.results, sumClaim: -own.sumClaim, failed: -own.failed });
    }
    const exact = sum.results === 0 ? 0 : (sum.sumClaim - (sum.results - sum.failed)) / sum.results;
    // Nodes add in different orders; the last bits must not make them decide differently.
    const shortfall = Math.round(exact * 1e6) / 1e6;
    return { results: sum.results, shortfall, isOutage: sum.results >= LEAST_RESULTS && shortfall > SHORTFALL };
  }

  /** Who the others were; walks over the fleet, and is asked when an agent is paused. */
  otherAgents(agentId: string, now: number): OtherAgents {
    const agents = new Set<string>();
    const failing = new Set<string>();
    for (const [number, minute] of this.#minutes) {
      if (number < firstMinute(now)) continue;
      for (const [id, { failed }] of minute.agents) {
        if (id === agentId) continue;
        agents.add(id);
        if (failed > 0) failing.add(id);
      }
    }
    return { agents: agents.size, failing: failing.size };
  }
}
