import { accept, AUDIT_EVENTS, refuse, type Outcome } from '@breakwater/contract';
import type { AgentHead, Agents } from '../agents/index.ts';
import type { Database, Notifier } from '../postgres/index.ts';
import { createLiveTable, type Caller, type Clock, type Evidence, type Ids } from '../runtime/index.ts';
import { bindingHolds, credentialHash, sessionKey, SESSION_TTL_MS, type Binding } from './binding.ts';
import { resolveCaller, type Piece } from './resolve.ts';
import * as sql from './sql.ts';

const TABLE = 'bindings';

/** What an agent is born with. */
export interface Birth {
  readonly name: string | null;
  readonly purpose: string | null;
  readonly parentAgentId: string | null;
  readonly spawnReason: string | null;
  readonly metadata: Readonly<Record<string, unknown>>;
}

/** An identity handed out: the agent, and the secret that proves it, shown this once. */
export interface Onboarded {
  readonly head: AgentHead;
  readonly isNew: boolean;
  /** The session secret; undefined when an MCP session alone proved the identity. */
  readonly secret: string | undefined;
}

/**
 * Finds out which agent is calling, and hands out identities.
 *
 * Credentials live in core.bindings, by hash, with a live table in front: a call is resolved from memory, and a secret
 * that memory does not know is looked up once in PostgreSQL, since another node may have issued it. Nothing lives only in
 * memory, so sessions outlive a restart (BW-serve.05).
 */
export class Identity<M> {
  readonly #database: Database;
  readonly #agents: Agents<M>;
  readonly #clock: Clock;
  readonly #ids: Ids;
  readonly #notifier: Notifier;
  readonly #live = createLiveTable<Binding>(TABLE);

  constructor(options: { database: Database; agents: Agents<M>; clock: Clock; ids: Ids; notifier: Notifier }) {
    this.#database = options.database;
    this.#agents = options.agents;
    this.#clock = options.clock;
    this.#ids = options.ids;
    this.#notifier = options.notifier;
    this.#notifier.onChange(TABLE, (hashes) => this.#refresh(hashes));
    this.#notifier.onGap(() => this.load());
  }

  /** Loads every binding that still holds, with one query. */
  async load(): Promise<void> {
    const rows = await this.#database.query<sql.BindingRow>(sql.selectBindings(this.#clock.now()));
    const stored = new Map(rows.map(sql.bindingFromRow));
    for (const [hash] of this.#live.table.entries()) if (!stored.has(hash)) this.#live.writer.remove(hash);
    for (const [hash, binding] of stored) this.#live.writer.publish(hash, binding);
  }

  /** Who is calling. Synchronous when memory knows every secret sent, which is the hot path. */
  resolve(evidence: Evidence, claimedAgentId: string | undefined): Outcome<Caller> | Promise<Outcome<Caller>> {
    const sent = secretsOf(evidence);
    const pieces: Piece[] = [];
    for (const { source, secret } of sent) {
      const reading = this.#live.table.read(credentialHash(secret));
      if (!reading.ok) return this.#resolveCold(sent, claimedAgentId, evidence.peer);
      pieces.push({ source, binding: reading.value });
    }
    return resolveCaller(pieces, claimedAgentId, evidence.peer, this.#clock.now());
  }

  /**
   * Gives the caller an identity: the one it proves, or a new one. A new identity is minted with its credential in one
   * transaction; the MCP session that carries the call, if there is one, is bound to it as well.
   */
  async onboard(caller: Caller, evidence: Evidence, birth: Birth, forceNew: boolean): Promise<Outcome<Onboarded>> {
    if (caller.agentId !== undefined && !forceNew) {
      const known = await this.#agents.find(caller.agentId);
      if (known === undefined) return refuse('AGENT_NOT_FOUND', `No agent ${caller.agentId}.`);
      if (evidence.mcpSessionId !== undefined) await this.#bindTransport(evidence.mcpSessionId, caller.agentId);
      return accept({ head: known, isNew: false, secret: evidence.clientSessionId ?? evidence.sessionHeader });
    }
    if (birth.parentAgentId !== null && (await this.#agents.find(birth.parentAgentId)) === undefined) {
      return refuse('PARAMETER_ERROR', `parent_agent_id: no agent ${birth.parentAgentId}.`, {
        details: { parameter: 'parent_agent_id' },
      });
    }
    const secret = this.#ids.secret();
    const hash = credentialHash(secret);
    const now = this.#clock.now();
    const expiresAt = now + SESSION_TTL_MS;
    const transport = evidence.mcpSessionId === undefined ? undefined : credentialHash(evidence.mcpSessionId);
    const head = await this.#agents.create({ ...birth, label: birth.name }, (agentId) => [
      sql.insertBinding(hash, { kind: 'session', agentId, expiresAt, revokedAt: null }, now),
      ...(transport === undefined ? [] : [sql.bindTransport(transport, agentId, now)]),
    ]);
    this.#publish(hash, { kind: 'session', agentId: head.agentId, expiresAt, revokedAt: null });
    if (transport !== undefined) await this.#refresh([transport]);
    return accept({ head, isNew: true, secret });
  }

  /** Changes the display name; it resolves nothing and proves nothing. */
  async rename(agentId: string, name: string, deadline: number): Promise<Outcome<AgentHead>> {
    const renamed = await this.#agents.act(agentId, deadline, ({ head }) =>
      Promise.resolve(
        accept({
          reply: null,
          change: {
            at: this.#clock.now(),
            label: name,
            events: [{ type: AUDIT_EVENTS.agentRenamed, payload: { from: head.label, to: name } }],
          },
        }),
      ),
    );
    if (!renamed.ok) return renamed;
    const head = await this.#agents.find(agentId);
    return head !== undefined ? accept(head) : refuse('AGENT_NOT_FOUND', `No agent ${agentId}.`);
  }

  /** The name under which rows record the session that acts: a prefix of the credential's hash. */
  sessionKeyOf(evidence: Evidence): string | null {
    const secret = evidence.clientSessionId ?? evidence.sessionHeader ?? evidence.mcpSessionId;
    return secret === undefined ? null : sessionKey(credentialHash(secret));
  }

  /** Issues an MCP transport session that no agent is bound to yet; durable before it is handed out. */
  async createMcpSession(): Promise<string> {
    const secret = this.#ids.secret();
    const now = this.#clock.now();
    const binding: Binding = { kind: 'mcp_session', agentId: null, expiresAt: now + SESSION_TTL_MS, revokedAt: null };
    const hash = credentialHash(secret);
    await this.#database.query(sql.insertBinding(hash, binding, now));
    this.#publish(hash, binding);
    return secret;
  }

  async mcpSessionKnown(secret: string): Promise<boolean> {
    const hash = credentialHash(secret);
    if (!this.#live.table.read(hash).ok) await this.#refresh([hash]);
    const reading = this.#live.table.read(hash);
    return reading.ok && reading.value.kind === 'mcp_session' && bindingHolds(reading.value, this.#clock.now());
  }

  async revokeMcpSession(secret: string): Promise<void> {
    const hash = credentialHash(secret);
    await this.#database.query(sql.revokeBinding(hash, this.#clock.now()));
    await this.#refresh([hash]);
    this.#notifier.announce(TABLE, hash);
  }

  /** Deletes what stopped proving anything long ago, and forgets what no longer holds. */
  async prune(): Promise<void> {
    const now = this.#clock.now();
    await this.#database.query(sql.pruneBindings(now));
    for (const [hash, binding] of this.#live.table.entries()) {
      if (!bindingHolds(binding, now)) this.#live.writer.remove(hash);
    }
  }

  get bindings(): number {
    return this.#live.table.size;
  }

  async #bindTransport(secret: string, agentId: string): Promise<void> {
    const hash = credentialHash(secret);
    const reading = this.#live.table.read(hash);
    if (reading.ok && reading.value.agentId === agentId) return;
    await this.#database.query(sql.bindTransport(hash, agentId, this.#clock.now()));
    await this.#refresh([hash]);
    this.#notifier.announce(TABLE, hash);
  }

  async #resolveCold(
    sent: readonly { source: Piece['source']; secret: string }[],
    claimedAgentId: string | undefined,
    peer: string,
  ): Promise<Outcome<Caller>> {
    const hashes = sent.map(({ secret }) => credentialHash(secret));
    await this.#refresh(hashes.filter((hash) => !this.#live.table.read(hash).ok));
    const pieces = sent.map(({ source }, i): Piece => {
      const reading = this.#live.table.read(hashes[i] ?? '');
      return { source, binding: reading.ok ? reading.value : undefined };
    });
    return resolveCaller(pieces, claimedAgentId, peer, this.#clock.now());
  }

  async #refresh(hashes: readonly string[]): Promise<void> {
    const rows = await this.#database.query<sql.BindingRow>(sql.selectBindingsOf(hashes));
    for (const [hash, binding] of rows.map(sql.bindingFromRow)) this.#live.writer.publish(hash, binding);
  }

  #publish(hash: string, binding: Binding): void {
    this.#live.writer.publish(hash, binding);
    this.#notifier.announce(TABLE, hash);
  }
}

/** The secrets of a call, the caller's own before the transport's. */
const secretsOf = (evidence: Evidence): { source: Piece['source']; secret: string }[] => {
  const sent: { source: Piece['source']; secret: string }[] = [];
  if (evidence.clientSessionId !== undefined) {
    sent.push({ source: 'client_session_id', secret: evidence.clientSessionId });
  }
  if (evidence.sessionHeader !== undefined && evidence.sessionHeader !== evidence.clientSessionId) {
    sent.push({ source: 'session_header', secret: evidence.sessionHeader });
  }
  if (evidence.mcpSessionId !== undefined) sent.push({ source: 'mcp_session', secret: evidence.mcpSessionId });
  return sent;
};
