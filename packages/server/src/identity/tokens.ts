import { createHmac } from 'node:crypto';
import type { Database } from '../postgres/index.ts';
import type { Evidence, Ids } from '../runtime/index.ts';
import { issueContinuityToken, readContinuityToken, type TokenVerdict } from './rules/continuity-token.ts';
import { clientHintOf, familyOf } from './rules/handles.ts';
import { serverSecret } from './server-secret.ts';

const HALF_LIFE_MS = 1_800_000;

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

  /** Whether a token has more than half an hour of its own hour left. */
  isYoung(token: string, evidence: Evidence, now: number): boolean {
    const verdict = this.read(token, evidence, now);
    return verdict.ok && verdict.expiresAt - now > HALF_LIFE_MS;
  }

  /** A session secret that nobody but this server can make of these parts; the same for the same parts. */
  sessionSecret(parts: readonly string[]): string {
    return createHmac('sha256', this.#loaded())
      .update(JSON.stringify(['session', ...parts]))
      .digest('base64url');
  }

  #loaded(): Uint8Array {
    if (this.#secret === undefined) throw new Error('the secret of continuity tokens is not loaded yet');
    return this.#secret;
  }
}
