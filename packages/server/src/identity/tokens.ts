import type { Database } from '../postgres/index.ts';
import type { Evidence, Ids } from '../runtime/index.ts';
import { issueContinuityToken, readContinuityToken, type TokenVerdict } from './rules/continuity-token.ts';
import { clientHintOf, familyOf } from './rules/handles.ts';
import * as sql from './sql.ts';

/** Continuity tokens under the one secret of the database, so that every node signs and reads alike (surface E). */
export class Tokens {
  readonly #database: Database;
  readonly #ids: Ids;
  #secret: Uint8Array | undefined;

  constructor(database: Database, ids: Ids) {
    this.#database = database;
    this.#ids = ids;
  }

  /** Loads the secret, and makes it when the database has none yet. */
  async load(): Promise<void> {
    const kept = await this.#database.query<{ secret: Uint8Array }>(sql.selectSecret('continuity_token'));
    // Of two nodes that start on a new database at once, one makes the secret and both use it.
    const [row] =
      kept.length > 0
        ? kept
        : await this.#database.query<{ secret: Uint8Array }>(sql.keepSecret('continuity_token', this.#ids.secret()));
    this.#secret = row?.secret;
  }

  /** A token of the agent for the caller that `evidence` tells of; its row is the caller's to write. */
  issue(agentId: string, evidence: Evidence, now: number): string {
    return issueContinuityToken({
      secret: this.#loaded(),
      agentId,
      modelFamily: familyOf(evidence),
      clientHint: clientHintOf(evidence.userAgent),
      issuedAtMs: now,
    });
  }

  read(token: string, evidence: Evidence, now: number): TokenVerdict {
    return readContinuityToken(token, { secret: this.#loaded(), now, expectedFamily: familyOf(evidence) });
  }

  #loaded(): Uint8Array {
    if (this.#secret === undefined) throw new Error('the secret of continuity tokens is not loaded yet');
    return this.#secret;
  }
}
