import { expectedHash, type ChainEnd } from './audit-chain.ts';

/** A row of audit.events that says it is part of a chain, as it is stored. */
export interface ChainRow {
  readonly agentId: string;
  readonly eventId: string;
  /** ISO 8601, UTC, to the millisecond, or longer when somebody stored a finer time than we write. */
  readonly ts: string;
  readonly type: string;
  readonly payload: unknown;
  readonly sessionId: string | null;
  readonly confidence: number;
  readonly searchText: string | null;
  readonly chainIndex: number;
  readonly prevHash: string | null;
  readonly hash: string | null;
}

/** Where retention cut a chain: the newest row that it dropped, and how many it dropped in all. */
export interface Anchor {
  readonly index: number;
  readonly hash: string;
  readonly droppedRows: number;
}

/** What is known of a chain beside its rows. */
export interface ChainFacts {
  readonly agentId: string;
  /** What core.identities says of its end; null when there is no such agent. */
  readonly end: ChainEnd | null;
  readonly anchor: Anchor | null;
  /** Index of the first row to look at, whose link to the row before is taken as it is; null: the whole chain. */
  readonly from: number | null;
}

/**
 * What can be wrong with a chain. `altered`: a row does not have the contents that its hash was made of. `reordered`: it
 * has, but for another place. `missing`: a row is not there. `surplus`: one is there that the chain has no place for.
 * `unlinked`: a row is whole but names another one than the one before it. `head`: the end differs from what the agent's row
 * says of it.
 */
export type FaultKind = 'altered' | 'reordered' | 'missing' | 'surplus' | 'unlinked' | 'head';

/** The first fault of an agent's chain. */
export interface Fault {
  readonly agentId: string;
  readonly kind: FaultKind;
  /** Place in the chain, counted from 1; that of the row that should be there when it is missing. */
  readonly index: number;
  /** Null when no row is there. */
  readonly eventId: string | null;
  /** What is wrong, in words for a person. */
  readonly what: string;
}

/** A row may be found to fit a place at most this far from where it stands. */
const NEIGHBOURS = 1_000;

const hashAt = (row: ChainRow, index: number): string =>
  expectedHash({ ...row, prevHash: row.prevHash ?? '', chainIndex: index }, row.hash);

const isWhole = (row: ChainRow): boolean => row.prevHash !== null && row.hash === hashAt(row, row.chainIndex);

/** The place that a row's contents and hash were made for, when it is not the one where it stands. */
const rightPlace = (row: ChainRow): number | undefined => {
  for (let step = 1; step <= NEIGHBOURS; step += 1) {
    for (const index of [row.chainIndex - step, row.chainIndex + step]) {
      if (index > 0 && row.hash === hashAt(row, index)) return index;
    }
  }
  return undefined;
};

/**
 * Checks one chain, row by row, in the order of their indexes; two rows of one index in any order. {@link add} and
 * {@link end} give the first fault that there is, and nothing more after it.
 */
export class ChainCheck {
  readonly #facts: ChainFacts;
  /** Rows of one index; they are judged when the next index comes. */
  #waiting: ChainRow[] = [];
  /** Index and hash of the row before; a hash of null is not compared. */
  #last: { readonly index: number; readonly hash: string | null };
  /** Rows at or before the place where retention cut: nodes' clocks differ, so that a month ends a little unevenly. */
  #beforeAnchor = 0;
  #fault: Fault | undefined;

  constructor(facts: ChainFacts) {
    this.#facts = facts;
    const { anchor, from } = facts;
    if (from !== null && from > (anchor?.index ?? 0) + 1) this.#last = { index: from - 1, hash: null };
    else this.#last = { index: anchor?.index ?? 0, hash: anchor?.hash ?? '' };
  }

  /** Takes the next row; gives the fault that it shows, once. */
  add(row: ChainRow): Fault | undefined {
    if (this.#fault !== undefined) return undefined;
    const same = this.#waiting[0]?.chainIndex === row.chainIndex;
    const fault = same ? undefined : this.#judge();
    this.#waiting.push(row);
    return fault;
  }

  /** Says that there are no more rows; gives the fault that the end shows. */
  end(): Fault | undefined {
    if (this.#fault !== undefined) return undefined;
    const fault = this.#judge() ?? this.#judgeEnd();
    this.#fault = fault;
    return fault;
  }

  #judge(): Fault | undefined {
    const rows = this.#waiting;
    this.#waiting = [];
    const [row] = rows;
    if (row !== undefined) this.#fault = this.#judgePlace(row.chainIndex) ?? this.#judgeRows(rows, row);
    return this.#fault;
  }

  #isBeforeAnchor(index: number): boolean {
    return this.#facts.anchor !== null && index <= this.#facts.anchor.index;
  }

  /** Whether the chain goes on with this index. */
  #judgePlace(index: number): Fault | undefined {
    const expected = this.#last.index + 1;
    return index > expected && this.#facts.end !== null ? this.#missing(expected, index - 1) : undefined;
  }

  #judgeRows(rows: readonly ChainRow[], row: ChainRow): Fault | undefined {
    const { end } = this.#facts;
    const { chainIndex: index } = row;
    if (end === null) return this.#at(row, 'surplus', 'core.identities has no such agent');
    if (index < 1) return this.#at(row, 'surplus', 'a chain begins with index 1');
    if (rows.length > 1) return this.#at(this.#forged(rows), 'surplus', `${rows.length} rows stand in this place`);
    if (!isWhole(row)) return this.#notWhole(row);
    if (this.#isBeforeAnchor(index)) {
      this.#beforeAnchor += 1;
      return undefined;
    }
    if (this.#last.hash !== null && row.prevHash !== this.#last.hash) {
      return this.#at(row, 'unlinked', 'it does not name the hash of the row before it: one of the two was replaced');
    }
    if (index > end.auditCount) return this.#at(row, 'surplus', `core.identities counts ${end.auditCount} rows`);
    this.#last = { index, hash: row.hash };
    return undefined;
  }

  /** Of several rows in one place, one that does not belong there. */
  #forged(rows: readonly ChainRow[]): ChainRow {
    const right = rows.find((row) => isWhole(row) && row.prevHash === this.#last.hash);
    return rows.find((row) => row !== right) as ChainRow;
  }

  #judgeEnd(): Fault | undefined {
    const { end, anchor, from } = this.#facts;
    if (end === null) {
      return this.#whole('head', anchor?.index ?? 0, 'rows of it were dropped, but core.identities has no such agent');
    }
    const { index, hash } = this.#last;
    if (index < end.auditCount) return this.#missing(index + 1, end.auditCount);
    if (index > end.auditCount) {
      return this.#whole('head', index, `core.identities counts ${end.auditCount} rows, retention cut after ${index}`);
    }
    if (hash !== null && hash !== end.auditHead) {
      return this.#whole('head', index, 'core.identities has another hash for the newest row');
    }
    if (anchor === null || from !== null) return undefined;
    const kept = this.#beforeAnchor + anchor.droppedRows;
    if (kept === anchor.index) return undefined;
    return kept < anchor.index
      ? this.#whole('missing', anchor.index, `${anchor.index - kept} rows were missing when retention cut the chain`)
      : this.#whole('surplus', anchor.index, `${kept - anchor.index} rows too many stood before the cut of retention`);
  }

  #notWhole(row: ChainRow): Fault {
    const place = rightPlace(row);
    return place === undefined
      ? this.#at(row, 'altered', 'its hash is not the hash of its contents')
      : this.#at(row, 'reordered', `it was written as row ${place}`);
  }

  #missing(first: number, last: number): Fault {
    const many = first === last ? 'the row is' : `${last - first + 1} rows, up to ${last}, are`;
    return this.#whole('missing', first, `${many} not there`);
  }

  #at(row: ChainRow, kind: FaultKind, what: string): Fault {
    return { agentId: this.#facts.agentId, kind, index: row.chainIndex, eventId: row.eventId, what };
  }

  #whole(kind: FaultKind, index: number, what: string): Fault {
    return { agentId: this.#facts.agentId, kind, index, eventId: null, what };
  }
}
