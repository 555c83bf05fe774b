import { ok, refuse, type Result } from '@breakwater/contract';
import type { AgentHead } from '../agents/index.ts';
import type {
  Caller,
  Clock,
  Evidence,
  Ground,
  LiveTable,
  Operator,
  ProofSource,
  ProvenOperator,
} from '../runtime/index.ts';
import { credentialHash, type Binding } from './binding.ts';
import type { Bindings } from './bindings.ts';
import { derivedPrefix } from './rules/continuity-token.ts';
import { resolve, type Facts, type Piece } from './rules/resolve.ts';
import type { Tokens } from './tokens.ts';

type Secret = Omit<Piece, 'binding'> & { readonly hash: string };

/** The secrets of a call by their sources, the caller's own before the transport's. */
export const secretsOf = (evidence: Evidence): Secret[] => {
  const sent: Secret[] = [];
  const add = (source: Piece['source'], secret: string | undefined, assertedBy: Piece['assertedBy']) => {
    if (secret === undefined) return;
    const derivedFrom = source === 'mcp_session' ? undefined : derivedPrefix(secret);
    sent.push({ source, assertedBy, hash: credentialHash(secret), ...(derivedFrom !== undefined && { derivedFrom }) });
  };
  add('client_session_id', evidence.clientSessionId, evidence.injected === true ? 'server' : 'caller');
  if (evidence.sessionHeader !== evidence.clientSessionId) add('session_header', evidence.sessionHeader, 'caller');
  add('mcp_session', evidence.mcpSessionId, 'caller');
  return sent;
};

/** The credentials of a call by their hashes. */
const hashesOf = (evidence: Evidence): string[] => {
  const hashes = secretsOf(evidence).map(({ hash }) => hash);
  for (const secret of [evidence.operatorSecret, evidence.continuityToken]) {
    if (secret !== undefined) hashes.push(credentialHash(secret));
  }
  return hashes;
};

/** The credential that bound a call. An attested process has none: its claim is a row of its agent. */
const proofHash = (source: ProofSource, evidence: Evidence): string | undefined => {
  const secrets: Partial<Record<ProofSource, string | undefined>> = {
    client_session_id: evidence.clientSessionId,
    session_header: evidence.sessionHeader,
    mcp_session: evidence.mcpSessionId,
    continuity_token: evidence.continuityToken,
  };
  const secret = secrets[source];
  return secret === undefined ? undefined : credentialHash(secret);
};

/** Who nobody has proven to be. */
export const NOBODY = { assurance: 'none', source: 'none', origin: 'server_inferred' } as const;

/**
 * Finds out who is calling. What the evidence says is looked up here, in memory first; what follows from it is decided by
 * the one rule (`rules/resolve.ts`), whatever the transport.
 */
export class Resolver {
  readonly #bindings: Bindings;
  readonly #tokens: Tokens;
  readonly #agents: {
    readonly table: LiveTable<AgentHead>;
    find(agentId: string): Promise<AgentHead | undefined>;
  };
  readonly #clock: Clock;

  constructor(options: {
    bindings: Bindings;
    tokens: Tokens;
    agents: { readonly table: LiveTable<AgentHead>; find(agentId: string): Promise<AgentHead | undefined> };
    clock: Clock;
  }) {
    this.#bindings = options.bindings;
    this.#tokens = options.tokens;
    this.#agents = options.agents;
    this.#clock = options.clock;
  }

  /** Who is calling. Synchronous when memory knows everything that the call brings, which is the hot path. */
  resolve(evidence: Evidence): Result<Caller> | Promise<Result<Caller>> {
    return this.#fromMemory(evidence, false) ?? this.#fromPostgres(evidence);
  }

  /**
   * Who is calling, by PostgreSQL's word on every credential of the call: for what does not look at them again where it
   * commits, and before a refusal on memory that may be a moment behind another node (BW-nodes.01).
   */
  async resolveFresh(evidence: Evidence): Promise<Result<Caller>> {
    await this.#bindings.refresh(hashesOf(evidence));
    return this.#fromMemory(evidence, false) ?? this.#fromPostgres(evidence);
  }

  /** The operator that a bearer token belongs to; undefined for any other text. */
  async operatorOf(secret: string): Promise<ProvenOperator | undefined> {
    const hash = credentialHash(secret);
    if (!this.#bindings.read(hash).ok) await this.#bindings.refresh([hash]);
    const reading = this.#bindings.read(hash);
    if (!reading.ok || reading.value.operator === null) return undefined;
    return { ...reading.value.operator, grounds: [{ kind: 'credential', key: hash, is: null }] };
  }

  /**
   * Resolves from memory; undefined when something that the call brings is not there. `settled`: PostgreSQL was asked, and
   * what memory still does not have does not exist.
   */
  #fromMemory(evidence: Evidence, settled: boolean): Result<Caller> | undefined {
    const agents = this.#agents.table;
    const now = this.#clock.now();
    const pieces: Piece[] = [];
    const used: [hash: string, Binding][] = [];
    for (const { hash, ...secret } of secretsOf(evidence)) {
      if (secret.derivedFrom !== undefined) {
        pieces.push(secret);
        continue;
      }
      const reading = this.#bindings.read(hash);
      if (!reading.ok && !settled) return undefined;
      pieces.push(reading.ok ? { ...secret, binding: reading.value } : secret);
      if (reading.ok) used.push([hash, reading.value]);
    }
    let operator: Operator | undefined;
    let operatorGround: Ground | undefined;
    if (evidence.operatorSecret !== undefined) {
      const hash = credentialHash(evidence.operatorSecret);
      const reading = this.#bindings.read(hash);
      if (!reading.ok && !settled) return undefined;
      if (!reading.ok || reading.value.operator === null) {
        return refuse('UNAUTHORIZED', 'The operator credential is unknown, expired or revoked.');
      }
      operator = reading.value.operator;
      operatorGround = { kind: 'credential', key: hash, is: null };
      used.push([hash, reading.value]);
    }
    const token = this.#tokenOf(evidence, now);
    if (token === 'cold' && !settled) return undefined;
    const claimed = evidence.agentUuid?.toLowerCase();
    if (!settled && evidence.attestation !== undefined && claimed !== undefined && !agents.read(claimed).ok)
      return undefined;

    const facts: Facts = {
      pieces,
      token: token === 'cold' ? undefined : token,
      claimed,
      attestation: evidence.attestation,
      resuming: evidence.resuming,
      now,
    };
    const found = resolve(facts, (agentId) => {
      const reading = agents.read(agentId);
      return reading.ok ? reading.value : undefined;
    });
    if (found.kind === 'refused') return { ok: false, refusal: found.refusal };
    // Whether the agent is enrolled must be known before its proof counts.
    if (found.kind === 'bound' && !agents.read(found.agentId).ok) {
      return settled ? refuse('SESSION_UNKNOWN', 'The agent of this proof no longer exists.') : undefined;
    }
    for (const [hash, binding] of used) this.#bindings.used(hash, binding);
    const principal = operator === undefined ? undefined : `operator:${operator.name}`;
    const grounds = operatorGround === undefined ? [] : [operatorGround];
    if (found.kind === 'unbound') {
      const { warnings } = found;
      return ok({
        agentId: undefined,
        ...NOBODY,
        operator,
        warnings,
        principal: principal ?? `peer:${evidence.peer}`,
        grounds,
      });
    }
    const { agentId, source, assurance, origin, warnings } = found;
    const proof = proofHash(source, evidence);
    if (proof !== undefined) grounds.push({ kind: 'credential', key: proof, is: agentId });
    return ok({
      agentId,
      source,
      assurance,
      origin,
      operator,
      warnings,
      principal: principal ?? `agent:${agentId}`,
      grounds,
    });
  }

  async #fromPostgres(evidence: Evidence): Promise<Result<Caller>> {
    const hashes = hashesOf(evidence);
    await this.#bindings.refresh(hashes.filter((hash) => !this.#bindings.read(hash).ok));
    const named = new Set(evidence.agentUuid === undefined ? [] : [evidence.agentUuid.toLowerCase()]);
    for (const hash of hashes) {
      const reading = this.#bindings.read(hash);
      if (reading.ok && reading.value.agentId !== null) named.add(reading.value.agentId);
    }
    for (const agentId of named) await this.#agents.find(agentId);
    const outcome = this.#fromMemory(evidence, true);
    if (outcome === undefined) throw new Error('a settled resolution has an end');
    return outcome;
  }

  #tokenOf(evidence: Evidence, now: number): Facts['token'] | 'cold' {
    const { continuityToken: token } = evidence;
    if (token === undefined) return undefined;
    const verdict = this.#tokens.read(token, evidence, now);
    if (!verdict.ok) return { verdict, binding: undefined };
    const reading = this.#bindings.read(credentialHash(token));
    return reading.ok ? { verdict, binding: reading.value } : 'cold';
  }
}
