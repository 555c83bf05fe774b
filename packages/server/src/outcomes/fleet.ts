import type { Database } from '../postgres/index.ts';
import type { Clock } from '../runtime/index.ts';
import { firstMinute, FleetHour, minuteOf, type OtherAgents, type OthersReading } from './rules/fleet-guard.ts';
import * as sql from './sql.ts';

/** How often a node looks at what the others recorded, in ms. */
export const FLEET_REFRESH_MS = 2_000;
/** A row may be committed this many minutes after the time it bears. */
const LATE_MINUTES = 1;

/**
 * The graded results of all agents in the last hour, in memory: what the fleet guard decides by, before a result is looked
 * at. Rebuilt from PostgreSQL at the start; a node's own results enter at their commit, those of others within
 * {@link FLEET_REFRESH_MS}.
 */
export class Fleet {
  readonly #options: { database: Database; clock: Clock };
  readonly #hour = new FleetHour();

  constructor(options: { database: Database; clock: Clock }) {
    this.#options = options;
  }

  /** Reads the last hour. */
  async load(): Promise<void> {
    await this.#read(firstMinute(this.#options.clock.now()));
  }

  /** Reads the newest minutes again, in which other nodes may have recorded something. */
  async refresh(): Promise<void> {
    await this.#read(minuteOf(this.#options.clock.now()) - LATE_MINUTES);
  }

  /** Hears of a graded result of this node that became durable. */
  observe({
    agentId,
    at,
    claim,
    isBad,
  }: {
    readonly agentId: string;
    readonly at: number;
    readonly claim: number;
    readonly isBad: boolean;
  }): void {
    this.#hour.add({ agentId, minute: minuteOf(at), results: 1, sumClaim: claim, failed: isBad ? 1 : 0 });
  }

  others(agentId: string, now: number): OthersReading {
    return this.#hour.others(agentId, now);
  }

  otherAgents(agentId: string, now: number): OtherAgents {
    return this.#hour.otherAgents(agentId, now);
  }

  async #read(from: number): Promise<void> {
    const rows = await this.#options.database.query<sql.FleetCountRow>(sql.selectFleetCounts(from));
    const counts = rows.map(({ agent_id: agentId, minute, results, sum_claim: sumClaim, failed }) => ({
      agentId,
      minute,
      results,
      sumClaim,
      failed,
    }));
    this.#hour.replace(from, counts);
    this.#hour.forget(this.#options.clock.now());
  }
}
