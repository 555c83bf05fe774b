import type { Database } from '../postgres/index.ts';
import type { Evidence, Ids } from '../runtime/index.ts';
import { issueContinuityToken, readContinuityToken, type TokenVerdict } from './rules/continuity-token.ts';
import { clientHintOf, familyOf } from './rules/handles.ts';
import { serverSecret } from './server-secret.ts';

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
    this.#secret = await serverSecret(this.#database, this.#ids, 'continuity_token');
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
