import type { Agents } from '../agents/index.ts';
import type { Database } from '../postgres/index.ts';
import type { Clock, Ids } from '../runtime/index.ts';
import { Births } from './births.ts';
import { Findings } from './findings.ts';
import { Journal } from './journal.ts';
import { Reader } from './reader.ts';
import { RollUp } from './rollup.ts';
import { Tending } from './tending.ts';

/** The parts of knowledge, put together. */
export interface Knowledge {
  readonly reader: Reader;
  readonly journal: Journal;
  readonly findings: Findings;
  readonly rollUp: RollUp;
  readonly tending: Tending;
  /** Ends what runs by itself, and answers what was accepted. */
  stop(): Promise<void>;
}

export const createKnowledge = (options: {
  database: Database;
  agents: Agents;
  clock: Clock;
  ids: Ids;
  /** Under which writers without identity are named; the same on every server. */
  secret: () => Uint8Array;
  onCrash: (writerId: string, error: unknown) => void;
}): Knowledge => {
  const { database, agents, clock } = options;
  const journal = new Journal(options);
  const births = new Births(agents);
  const tending = new Tending({ database, journal, clock });
  return {
    reader: new Reader({ database, agents, clock }),
    journal,
    findings: new Findings({ database, journal, births }),
    rollUp: new RollUp({ database, journal, births }),
    tending,
    stop: () => {
      tending.stop();
      return journal.stop();
    },
  };
};
