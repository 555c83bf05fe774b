import {
  ok,
  AUDIT_EVENTS,
  IDENTITY_EVENTS,
  refusal,
  refuse,
  type IdentityEventType,
  type Result,
  type Refusal,
} from '@breakwater/contract';
import {
  MOST_ANCESTORS,
  refuseEnded,
  type AgentHead,
  type Agents,
  type AuditDraft,
  type Hold,
  type Lineage,
} from '../agents/index.ts';
import { liveSignals, reactivate, refusedAct, refuseHeld } from '../lifecycle/index.ts';
import type { Database } from '../postgres/index.ts';
import type { Assurance, Caller, Clock, Evidence, Ids, ProofSource, ProvenOperator } from '../runtime/index.ts';
import { credentialHash, expiryOf, sessionKey, type Binding } from './binding.ts';
import type { Bindings } from './bindings.ts';
import { derivedPrefix } from './rules/continuity-token.ts';
import { autoLabel, clientHintOf, familyOf, publicHandle, rebadgedHandle } from './rules/handles.ts';
import { declareLineage, lineageState, UNDECLARED, type DeclaredLineageState } from './rules/lineage.ts';
import { isDispatchedChild, pinDecision, pinScopes, placesOf, type Mode } from './rules/pin.ts';
import {
  EVIDENCE,
  isWorthARow,
  rankPredecessors,
  successionEvent,
  successorEvent,
  type Predecessor,
} from './rules/succession.ts';
import { NOBODY, Resolver, secretsOf } from './resolver.ts';
import * as sql from './sql.ts';
import { Tokens } from './tokens.ts';

/** What the caller of an onboard says of itself. */
export interface Introduction {
  readonly name: string | null;
  readonly purpose: string | null;
  readonly modelType: string | undefined;
  readonly clientHint: string | undefined;
  readonly parentAgentId: string | null;
  readonly spawnReason: string | null;
  readonly threadId: string | null;
  readonly process: sql.ProcessReport | undefined;
  readonly metadata: Readonly<Record<string, unknown>>;
  /** The agent that the call asks to go on as; a resume of it needs proof. */
  readonly agentUuid: string | undefined;
  /** An agent that the call merely names. It proves nothing and asks for nothing, but a pin of another one is not used. */
  readonly claimedAgentId: string | undefined;
  readonly resume: boolean;
  readonly forceNew: boolean;
  readonly reactivate: boolean;
}

/** How an identity came to be handed out. */
type OnboardOutcome = 'resumed' | 'reactivated' | 'minted_fresh' | 'minted_force_new';

/** An identity handed out: the agent, and the secrets that prove it, shown this once. */
export interface Onboarded {
  readonly head: AgentHead;
  readonly outcome: OnboardOutcome;
  /** The session secret: the one that the call brought, or a new one. */
  readonly secret: string;
  /** undefined where the identity is inferred: a token would make more of it. */
  readonly token: string | undefined;
  /** What bound the call; of a new agent nothing did. */
  readonly proof: Pick<Caller, 'assurance' | 'source' | 'origin'>;
  readonly lineageState: DeclaredLineageState;
  /** What holds the agent. */
  readonly hold: Hold | undefined;
  /** It is held and asked for another name, which it does not get. */
  readonly keptName: boolean;
}

interface IdentityOptions {
  readonly database: Database;
  readonly agents: Agents;
  readonly bindings: Bindings;
  readonly clock: Clock;
  readonly ids: Ids;
  /** The honesty gates, read from the live flags at every use (W3-3.08). */
  readonly strictMode: () => Mode;
  readonly pinMode: () => Mode;
  /** Names that the operator keeps for residents; the first living agent born with one is tagged as a resident. */
  readonly residents: readonly string[];
  /** Hears suspicions; never throws. */
  readonly report: (type: IdentityEventType, payload: Readonly<Record<string, unknown>>, agentId?: string) => void;
}

const BORN_TAGS: readonly string[] = ['ephemeral'];
const RESIDENT_TAGS: readonly string[] = ['persistent', 'autonomous'];
/** A mint that loses to another one of the same transport session resumes what that one made. */
const MINT_ATTEMPTS = 3;

/**
 * Finds out which agent is calling, and hands out identities. The rules stand in `rules/`; credentials are looked up in
 * {@link Bindings}, and agents are written by {@link Agents} alone.
 */
export class Identity {
  readonly #options: IdentityOptions;
  readonly #bindings: Bindings;
  readonly #tokens: Tokens;
  readonly #resolver: Resolver;

  constructor(options: IdentityOptions) {
    this.#options = options;
    const { agents, bindings, clock } = options;
    this.#bindings = bindings;
    this.#tokens = new Tokens(options.database, options.ids);
    this.#resolver = new Resolver({ bindings, tokens: this.#tokens, agents, clock });
  }

  /** Loads the credentials, and the secret under which continuity tokens are signed. */
  async load(): Promise<void> {
    await Promise.all([this.#tokens.load(), this.#bindings.load()]);
  }

  /** Who is calling; see {@link Resolver.resolve}. */
  resolve(evidence: Evidence): Result<Caller> | Promise<Result<Caller>> {
    return this.#resolver.resolve(evidence);
  }

  /** Who is calling, by PostgreSQL's word; see {@link Resolver.resolveFresh}. */
  resolveFresh(evidence: Evidence): Promise<Result<Caller>> {
    return this.#resolver.resolveFresh(evidence);
  }

  /** The operator that a bearer token belongs to; undefined for any other text. */
  operatorOf(secret: string): Promise<ProvenOperator | undefined> {
    return this.#resolver.operatorOf(secret);
  }

  /**
   * Gives the caller an identity: the one that it proves, or a new one. Nothing is minted where a resume was asked for and
   * refused (BW-identity.13), and a mint is all or nothing: agent, credentials, place in the thread, first audit rows, in
   * one transaction (W3-3.04). An MCP session that carries the call is tied to the agent as well.
   */
  async onboard(caller: Caller, evidence: Evidence, intro: Introduction, deadline: number): Promise<Result<Onboarded>> {
    const refused = this.#refusedOnboard(caller, evidence, intro);
    if (refused !== undefined) return { ok: false, refusal: refused };
    if (caller.agentId !== undefined && !intro.forceNew && intro.resume) {
      return this.#resume(caller.agentId, caller, evidence, intro, deadline);
    }
    const pinned = intro.forceNew || !intro.resume ? undefined : await this.#pinned(evidence, intro);
    if (pinned !== undefined) {
      const inferred: Caller = { ...caller, agentId: pinned, ...INFERRED };
      return this.#resume(pinned, inferred, evidence, intro, deadline);
    }
    const held = await this.#heldBehind(caller, evidence);
    if (held !== undefined) return refuseHeld('mint', held.head, held.hold);
    for (let attempt = 0; attempt < MINT_ATTEMPTS; attempt += 1) {
      const minted = await this.#mint(caller, evidence, intro, deadline);
      if (!minted.ok || minted.value !== undefined) return minted as Result<Onboarded>;
      // Another mint has tied the transport session first: this call is its agent's now (BW-identity.04).
      await this.#bindings.refresh([credentialHash(evidence.mcpSessionId ?? '')]);
      const again = await this.resolve(evidence);
      if (!again.ok) return again;
      if (again.value.agentId !== undefined)
        return this.#resume(again.value.agentId, again.value, evidence, intro, deadline);
    }
    return refuse('SEQUENCE_CONFLICT', 'Another call changed the MCP session again and again.');
  }

  /**
   * What a caller that proved its identity is given for later calls: a continuity token, and a session secret when the
   * call brought none. Neither proves more than the call did.
   */
  async credentialsFor(caller: Caller, evidence: Evidence): Promise<{ secret: string; token: string | undefined }> {
    const secret = await this.secretFor(caller, evidence);
    const { agentId, assurance } = bound(caller);
    const brought = caller.source === 'continuity_token' ? evidence.continuityToken : undefined;
    // A resident asks every minute: a token that has most of its hour left serves, and is one row less.
    if (brought !== undefined && this.#tokens.isYoung(brought, evidence, this.#options.clock.now())) {
      return { secret, token: brought };
    }
    return { secret, token: await this.#issueToken(agentId, assurance, evidence) };
  }

  /** The session secret of a caller that proved its identity: the one that it brought, or one that its proof stands for. */
  async secretFor(caller: Caller, evidence: Evidence): Promise<string> {
    const { agentId, assurance } = bound(caller);
    const brought = caller.source === 'session_header' ? evidence.sessionHeader : evidence.clientSessionId;
    if (brought !== undefined && derivedPrefix(brought) === undefined) return brought;
    const proof = { continuity_token: evidence.continuityToken, mcp_session: evidence.mcpSessionId };
    const by =
      caller.source === 'continuity_token' || caller.source === 'mcp_session' ? proof[caller.source] : undefined;
    return this.#issueSession(agentId, assurance, by);
  }

  /**
   * Ties the MCP session that carries the call to the agent that the call proves; false when there is none, or when it
   * belongs to another agent that is held.
   */
  async bindTransport(agentId: string, evidence: Evidence): Promise<boolean> {
    const { mcpSessionId } = evidence;
    if (mcpSessionId === undefined) return false;
    const hash = credentialHash(mcpSessionId);
    const known = this.#bindings.read(hash);
    if (known.ok && known.value.agentId === agentId) return true;
    // Tied to somebody else, the session of a held agent would be free to start a new one.
    if ((await this.holdOfSession(evidence, agentId)) !== undefined) return false;
    return (await this.#bindings.change(sql.bindTransport(hash, agentId, true, this.#options.clock.now()))) > 0;
  }

  /** The held agent, other than this one, that the call's MCP session belongs to; undefined: it belongs to none. */
  async holdOfSession(evidence: Evidence, agentId: string): Promise<{ head: AgentHead; hold: Hold } | undefined> {
    const { mcpSessionId } = evidence;
    const tied = mcpSessionId === undefined ? undefined : await this.#bindings.find(credentialHash(mcpSessionId));
    return tied?.agentId == null || tied.agentId === agentId ? undefined : this.#heldAgent(tied.agentId);
  }

  async #heldAgent(agentId: string): Promise<{ head: AgentHead; hold: Hold } | undefined> {
    const head = await this.#options.agents.find(agentId);
    const hold = head && (await this.#options.agents.holdOf(head));
    return head === undefined || hold === undefined || refusedAct('mint', 'owner', head, hold) === undefined
      ? undefined
      : { head, hold };
  }

  /**
   * A held agent that anything in the call belongs to, whether or not it still proves it: an agent that is paused would
   * otherwise go on under another name, in the very session that is paused, and leave its record behind.
   */
  async #heldBehind(caller: Caller, evidence: Evidence): Promise<{ head: AgentHead; hold: Hold } | undefined> {
    const owners = new Set<string>(caller.agentId === undefined ? [] : [caller.agentId]);
    const hashes = secretsOf(evidence).flatMap(({ hash, derivedFrom }) => (derivedFrom === undefined ? [hash] : []));
    if (evidence.continuityToken !== undefined) hashes.push(credentialHash(evidence.continuityToken));
    for (const hash of hashes) {
      const binding = await this.#bindings.find(hash);
      if (binding?.agentId != null) owners.add(binding.agentId);
    }
    // Another node may have paused it, and answered, a moment ago.
    if (owners.size > 0) await this.#options.agents.refresh([...owners]);
    for (const agentId of owners) {
      const held = await this.#heldAgent(agentId);
      if (held !== undefined) return held;
    }
    return undefined;
  }

  /** Revokes what proves the agent: the session of this call, all others, or all of them. Gives how many ended. */
  async revoke(agentId: string, evidence: Evidence, which: 'this' | 'others' | 'all'): Promise<number> {
    const now = this.#options.clock.now();
    const own = secretsOf(evidence).map(({ hash }) => hash);
    if (which !== 'this') {
      // Untied, the MCP session of a held agent could start a new one; it ends instead.
      const held = (await this.#heldAgent(agentId)) !== undefined;
      return this.#bindings.change(sql.revokeBindingsOf(agentId, which === 'all' ? [] : own, held, now));
    }
    let ended = 0;
    for (const { hash, source } of secretsOf(evidence)) {
      if (source !== 'mcp_session') ended += await this.#bindings.change(sql.revokeBinding(hash, now));
    }
    return ended;
  }

  /** Changes the display name; it resolves nothing and proves nothing. A name that another agent bears gets a suffix. */
  async rename(agentId: string, name: string, deadline: number): Promise<Result<AgentHead>> {
    const { agents, clock, residents } = this.#options;
    const taken = this.#holderOf(name, agentId) !== undefined;
    const label = taken ? `${name}_${agentId.slice(0, 8)}` : name;
    const before = await agents.find(agentId);
    // A resident says its name at every start.
    if (before?.label === label) return ok(before);
    const kept = before !== undefined && isResident(before) ? keptName(residents, before) : undefined;
    // Otherwise it could leave its place to the next one of that name, and so make residents without end.
    if (kept !== undefined && kept !== name) {
      return refuse('FORBIDDEN', `The agent is the resident ${kept} of this server, and keeps its name.`, {
        recovery: { action: 'Leave name out, or ask an operator to take the tags of a resident from the agent.' },
      });
    }
    const renamed = await agents.act(agentId, deadline, async ({ head }) => {
      const refused = refusedAct('rename', 'owner', head, await agents.holdOf(head));
      if (refused !== undefined) return refused;
      const events: [AuditDraft] = [{ type: AUDIT_EVENTS.agentRenamed, payload: { from: head.label, to: label } }];
      return ok({ reply: null, change: { at: clock.now(), label, events } });
    });
    if (!renamed.ok) return renamed;
    const head = await agents.find(agentId);
    return head !== undefined ? ok(head) : refuse('AGENT_NOT_FOUND', `No agent ${agentId}.`);
  }

  /**
   * The gate before a tool that writes: what happens to a call whose identity was inferred is the live flag's to say
   * (W3-3.08). Undefined: it may pass.
   */
  refusedWrite(caller: Caller, tool: string): Refusal | undefined {
    if (caller.agentId === undefined || caller.origin === 'caller_asserted') return undefined;
    const mode = this.#options.strictMode();
    if (mode === 'off') return undefined;
    this.#options.report(IDENTITY_EVENTS.unprovenWrite, { mode, tool, source: caller.source }, caller.agentId);
    if (mode === 'observe') return undefined;
    return refusal(
      'STRONG_IDENTITY_REQUIRED',
      `${tool} writes, and the identity of the call is inferred, not proven.`,
      {
        details: { status: 'identity_required', flag: 'identity_strict_mode' },
      },
    );
  }

  /** The name under which rows record the session that acts: a prefix of the credential's hash. */
  sessionKeyOf(evidence: Evidence): string | null {
    const secret = evidence.clientSessionId ?? evidence.sessionHeader ?? evidence.mcpSessionId;
    return secret === undefined ? null : sessionKey(credentialHash(secret));
  }

  /** Issues an MCP transport session that no agent is bound to yet; durable before it is handed out. */
  async createMcpSession(): Promise<string> {
    const secret = this.#options.ids.secret();
    await this.#bindings.issue(credentialHash(secret), { kind: 'mcp_session', agentId: null, assurance: 'medium' });
    return secret;
  }

  /** Whether an MCP session may be used: issued, not revoked, not expired. Synchronous when memory knows it. */
  mcpSessionKnown(secret: string): boolean | Promise<boolean> {
    const hash = credentialHash(secret);
    const reading = this.#bindings.read(hash);
    if (reading.ok) return reading.value.kind === 'mcp_session';
    return this.#bindings.refresh([hash]).then(() => {
      const found = this.#bindings.read(hash);
      return found.ok && found.value.kind === 'mcp_session';
    });
  }

  async revokeMcpSession(secret: string): Promise<void> {
    await this.#bindings.change(sql.revokeBinding(credentialHash(secret), this.#options.clock.now()));
  }

  /** Why an onboard is refused before anything is looked at. */
  #refusedOnboard(caller: Caller, evidence: Evidence, intro: Introduction): Refusal | undefined {
    if (intro.forceNew || caller.agentId !== undefined) return undefined;
    const unproven = this.refusedClaim(intro.agentUuid, evidence);
    if (unproven !== undefined) return unproven;
    if (this.#options.strictMode() !== 'enforce' || intro.parentAgentId !== null) return undefined;
    return refusal('LINEAGE_DECLARATION_REQUIRED', 'The call proves no identity and does not ask for a new one.', {
      details: {
        status: 'lineage_declaration_required',
        flag: 'identity_strict_mode',
        safe_options: [
          { action: 'resume', call: 'onboard(client_session_id=…)', when: 'you have the secret of an earlier onboard' },
          { action: 'start_fresh', call: 'onboard(force_new=true)', when: 'this is new work' },
          {
            action: 'declare_lineage',
            call: 'onboard(parent_agent_id=…, spawn_reason=…)',
            when: 'you continue an agent',
          },
        ],
      },
    });
  }

  /** The refusal of a resume by what proves nothing: a bare uuid, or a token without the uuid that it stands beside. */
  refusedClaim(agentUuid: string | undefined, evidence: Evidence): Refusal | undefined {
    const { continuityToken } = evidence;
    const now = this.#options.clock.now();
    if (agentUuid === undefined) {
      if (continuityToken === undefined) return undefined;
      return refusal(
        'CONTINUITY_TOKEN_RESUME_RETIRED',
        'A continuity token counts only beside the agent_uuid that it names.',
      );
    }
    const verdict = continuityToken === undefined ? undefined : this.#tokens.read(continuityToken, evidence, now);
    const mode = this.#options.strictMode();
    // Its own old token is no sign of a theft; the report of one would only alarm whoever reads it.
    if (verdict?.ok === false && verdict.reason === 'expired') {
      return refusal(
        'CONTINUITY_TOKEN_EXPIRED',
        'The continuity token has expired: it resumes its agent for 30 days after it was issued.',
      );
    }
    if (mode !== 'off') {
      const proof = continuityToken === undefined ? 'none' : 'token_refused';
      this.#options.report(
        IDENTITY_EVENTS.hijackSuspected,
        { path: 'bare_uuid', mode, proof },
        agentUuid.toLowerCase(),
      );
    }
    const message =
      verdict === undefined
        ? 'A uuid proves nothing, and nothing else in the call proves it.'
        : 'A uuid proves nothing, and the continuity token beside it does not prove it: it is altered, revoked, or of another agent or model.';
    return refusal('BARE_UUID_RESUME_DENIED', message);
  }

  /** The agent that an onboard without proof may go on as, by its pin; what the gate sees is reported. */
  async #pinned(evidence: Evidence, intro: Introduction): Promise<string | undefined> {
    const mode = this.#options.pinMode();
    for (const hash of this.#pinHashes(evidence, intro)) {
      const binding = await this.#bindings.find(hash);
      if (binding === undefined || binding.agentId === null || !this.#bindings.read(hash).ok) continue;
      const { resume, report } = pinDecision(mode, binding.agentId, intro.claimedAgentId?.toLowerCase());
      if (report) this.#options.report(IDENTITY_EVENTS.hijackSuspected, { path: 'ipua_pin', mode }, binding.agentId);
      const head = resume ? await this.#options.agents.find(binding.agentId) : undefined;
      if (head?.status !== 'active' || head.substrate !== null) return undefined;
      this.#bindings.used(hash, binding);
      return binding.agentId;
    }
    return undefined;
  }

  #pinHashes(evidence: Evidence, intro: Introduction): string[] {
    const scopes = pinScopes({
      address: evidence.address,
      userAgent: evidence.userAgent,
      clientHint: intro.clientHint ?? clientHintOf(evidence.userAgent),
      modelFamily: familyOf({ modelType: intro.modelType, userAgent: evidence.userAgent }),
      modelGiven: intro.modelType !== undefined,
    });
    return scopes.map(credentialHash);
  }

  async #resume(
    agentId: string,
    caller: Caller,
    evidence: Evidence,
    intro: Introduction,
    deadline: number,
  ): Promise<Result<Onboarded>> {
    const { agents, clock } = this.#options;
    const head = await agents.find(agentId);
    if (head === undefined) return refuse('AGENT_NOT_FOUND', `No agent ${agentId}.`);
    let outcome: OnboardOutcome = 'resumed';
    const kind = { modelType: intro.modelType, clientHint: intro.clientHint };
    const actor = { agentId, operator: caller.operator, proven: caller.origin === 'caller_asserted' };
    let hold: Hold | undefined;
    const acted = await agents.act(agentId, deadline, async ({ head: current }) => {
      const events: AuditDraft[] = [];
      hold = await agents.holdOf(current);
      const ended = refuseEnded(current) !== undefined;
      let back = {};
      if (ended) {
        const decided = reactivate(actor, current, { explicit: intro.reactivate, proof: caller.source });
        if (!decided.ok) return decided;
        const { events: rows, status, archive, pause } = decided.value;
        events.push(...rows);
        back = { status, archive, pause };
      }
      const handle = hold === undefined ? rebadgedHandle(current.handle, kind, clock.now()) : undefined;
      if (handle !== undefined) {
        events.push({ type: AUDIT_EVENTS.agentUpdated, payload: { by: 'owner', changed: ['handle'], handle } });
      }
      const [first, ...rest] = events;
      outcome = ended ? 'reactivated' : 'resumed';
      if (first === undefined) return ok({ reply: null });
      const change = {
        at: clock.now(),
        ...back,
        ...(handle !== undefined && { handle }),
        events: [first, ...rest] as const,
      };
      return ok({ reply: null, change });
    });
    if (!acted.ok) return acted;
    const newName = intro.name === head.label ? null : intro.name;
    // Refusing the whole call would take a held agent its way back.
    const keptName = newName !== null && hold !== undefined;
    if (newName !== null && !keptName) {
      const renamed = await this.rename(agentId, newName, deadline);
      if (!renamed.ok) return renamed;
    }
    await this.bindTransport(agentId, evidence);
    // Not the MCP session: an agent has many in its life, and comes to each from this address.
    const places = placesOf({ address: evidence.address, userAgent: evidence.userAgent }).map(credentialHash);
    if (places.length > 0) await this.#options.database.query(sql.insertPlaces(agentId, places, clock.now()));
    if (intro.process !== undefined) await this.#recordProcess(agentId, head.parentAgentId, intro.process);
    const { secret, token } = await this.credentialsFor(caller, evidence);
    const now = (await agents.find(agentId)) ?? head;
    return ok({
      head: now,
      outcome,
      secret,
      token,
      proof: caller,
      lineageState: lineageState(now),
      hold,
      keptName,
    });
  }

  /** Mints, as a resident where the name is kept for one and no living agent is it yet. */
  async #mint(
    caller: Caller,
    evidence: Evidence,
    intro: Introduction,
    deadline: number,
  ): Promise<Result<Onboarded | undefined>> {
    if (intro.name !== null && this.#options.residents.includes(intro.name)) {
      const minted = await this.#mintWith(RESIDENT_TAGS, caller, evidence, intro, deadline);
      if (!minted.ok || minted.value !== undefined) return minted;
    }
    return this.#mintWith(BORN_TAGS, caller, evidence, intro, deadline);
  }

  /**
   * Mints; undefined when another mint was first with the transport session, or when there is a living resident of that
   * name already.
   */
  async #mintWith(
    tags: readonly string[],
    caller: Caller,
    evidence: Evidence,
    intro: Introduction,
    deadline: number,
  ): Promise<Result<Onboarded | undefined>> {
    const { agents, clock, ids } = this.#options;
    const now = clock.now();
    const declared = await this.#declare(intro, tags, now);
    if (!declared.ok) return declared;
    const { lineage, events, parent, state } = declared.value;
    const clientHint = intro.clientHint ?? clientHintOf(evidence.userAgent);
    const kind = { modelType: intro.modelType, clientHint };
    const label = intro.name ?? autoLabel(kind) ?? null;
    const holder = label === null ? undefined : this.#holderOf(label, undefined);

    const secret = ids.secret();
    const hash = credentialHash(secret);
    const transport = evidence.mcpSessionId === undefined ? undefined : credentialHash(evidence.mcpSessionId);
    const pins = this.#pinHashes(evidence, intro).sort();
    const predecessors = await this.#predecessors(evidence, intro, parent);
    let token = '';
    let credentials: readonly (readonly [hash: string, Binding])[] = [];
    const head = await agents.create(
      {
        label,
        purpose: intro.purpose,
        handle: publicHandle(kind, now),
        tags,
        parentAgentId: parent?.agentId ?? null,
        spawnReason: intro.spawnReason,
        threadId: intro.threadId ?? parent?.threadId ?? `t-${hash.slice(0, 16)}`,
        lineage,
        metadata: intro.metadata,
        events: [...events, ...predecessors.map(successionEvent)],
      },
      (agentId) => {
        token = this.#tokens.issue(agentId, evidence, now);
        const credential = (of: string, kind: 'session' | 'continuity_token') =>
          [
            of,
            { kind, agentId, assurance: 'strong', expiresAt: expiryOf(kind, now), revokedAt: null, operator: null },
          ] as const;
        credentials = [credential(hash, 'session'), credential(credentialHash(token), 'continuity_token')];
        const pin = { agentId, expiresAt: expiryOf('pin', now), onlyIfFree: isDispatchedChild(intro.spawnReason) };
        const guards = tags === RESIDENT_TAGS && label !== null ? [sql.onlyResident(agentId, label)] : [];
        const replace = intro.forceNew || caller.agentId !== undefined;
        if (transport !== undefined) guards.push(sql.bindTransport(transport, agentId, replace, now));
        // All of them, also when they write nothing: it stays one statement, which PostgreSQL plans once.
        const alongside = [
          sql.insertBindings(credentials, now),
          sql.upsertPins(pins, pin, now),
          sql.insertPlaces(agentId, placesOf(evidence).map(credentialHash), now),
          sql.insertSuccessions(agentId, predecessors, now),
        ];
        return { alongside, guards };
      },
    );
    if (head === undefined) return ok(undefined);
    this.#bindings.written(credentials, pins);
    // Its next call comes over it.
    if (transport !== undefined) await this.#bindings.published([transport]);
    if (holder?.tags.includes('persistent') === true && holder.agentId !== parent?.agentId) {
      this.#options.report(IDENTITY_EVENTS.residentForkDetected, { label, new_agent_id: head.agentId }, holder.agentId);
    }
    if (intro.process !== undefined) await this.#recordProcess(head.agentId, head.parentAgentId, intro.process);
    await this.#tellPredecessors(head.agentId, predecessors, deadline);
    const outcome = intro.forceNew ? 'minted_force_new' : 'minted_fresh';
    const hold = await agents.holdOf(head);
    return ok({ head, outcome, secret, token, proof: NOBODY, lineageState: state, hold, keptName: false });
  }

  /**
   * Agents under a pause that a new agent may go on for, the strongest evidence first, by what both have in common. Nothing
   * follows from it but that people are told (policy decides later). An agent that inherits the pause is nobody's successor.
   */
  async #predecessors(
    evidence: Evidence,
    intro: Introduction,
    parent: AgentHead | undefined,
  ): Promise<readonly Predecessor[]> {
    const { agents, database } = this.#options;
    const inheritsFrom = parent && (await agents.holdOf(parent))?.holder.agentId;
    const held = new Map(agents.held().map((head) => [head.agentId, head]));
    if (inheritsFrom !== undefined) held.delete(inheritsFrom);
    if (held.size === 0) return [];
    const { mcpSessionId, address, userAgent } = evidence;
    const [place] = placesOf({ address, userAgent }).map(credentialHash);
    const [session] = placesOf({ mcpSessionId }).map(credentialHash);
    if (place === undefined && session === undefined && intro.process === undefined) return [];
    const rows = await database.query<sql.CommonRow>(
      sql.selectCommon([...held.keys()], { place, session, process: intro.process }),
    );
    return rankPredecessors(
      rows.map((row) => ({
        agentId: row.agent_id,
        actuationId: held.get(row.agent_id)?.pause?.actuation_id ?? '',
        evidence: EVIDENCE.filter((kind) => row[kind]),
        known: row.known,
      })),
    );
  }

  /** Adds the row about the new agent to the trails of those that it may go on for. The link itself is durable by now. */
  async #tellPredecessors(agentId: string, predecessors: readonly Predecessor[], deadline: number): Promise<void> {
    const { agents, clock } = this.#options;
    for (const predecessor of predecessors) {
      if (!isWorthARow(predecessor)) continue;
      await agents.act(predecessor.agentId, deadline, () =>
        Promise.resolve(
          ok({
            reply: null,
            change: { at: clock.now(), events: [successorEvent(agentId, predecessor)] as const },
          }),
        ),
      );
    }
  }

  /** What becomes of the parent that an onboard declares; a claim that does not hold leaves no parent behind. */
  async #declare(
    intro: Introduction,
    childTags: readonly string[],
    now: number,
  ): Promise<
    Result<{
      lineage: Lineage;
      events: readonly AuditDraft[];
      parent: AgentHead | undefined;
      state: DeclaredLineageState;
    }>
  > {
    const undeclared = { lineage: UNDECLARED, events: [], parent: undefined, state: 'no_lineage_declared' } as const;
    if (intro.parentAgentId === null) return ok(undeclared);
    const { agents, database } = this.#options;
    const parent = await agents.find(intro.parentAgentId.toLowerCase());
    if (parent === undefined || parent.status === 'deleted') {
      return refuse('PARAMETER_ERROR', `parent_agent_id: no agent ${intro.parentAgentId}.`, {
        details: { parameter: 'parent_agent_id' },
      });
    }
    if (agents.endsLine(parent)) {
      return refuse(
        'PARAMETER_ERROR',
        `parent_agent_id: ${parent.agentId} has as many ancestors as an agent may have.`,
        {
          details: { parameter: 'parent_agent_id', most: MOST_ANCESTORS },
          recovery: { action: 'Start without parent_agent_id.' },
        },
      );
    }
    // An agent that is held is not at work, however fresh its traces are: a child that it declares by any word is its own,
    // and inherits the pause.
    const held = (await agents.holdOf(parent)) !== undefined;
    const seen = await database.query<{ last_seen: number | null }>(sql.selectLastSeen(parent.agentId));
    const signals = liveSignals({
      lastSeenBindingMs: seen[0]?.last_seen ?? null,
      lastActivityMs: parent.lastActivityAt ?? parent.createdAt,
      now,
    });
    const declaration = declareLineage({
      parent: {
        agentId: parent.agentId,
        tags: parent.tags,
        status: parent.status,
        liveSignals: held ? [] : signals,
      },
      childTags,
      spawnReason: intro.spawnReason,
      now,
    });
    const events = [declaration.event];
    if (declaration.outcome !== 'accepted') return ok({ ...undeclared, events, state: declaration.outcome });
    return ok({ lineage: declaration.lineage, events, parent, state: 'provisional' });
  }

  async #recordProcess(agentId: string, parentAgentId: string | null, report: sql.ProcessReport): Promise<void> {
    const { database, clock } = this.#options;
    const rows = await database.query<sql.ProcessRow>(sql.recordProcess(agentId, parentAgentId, report, clock.now()));
    const row = rows[0];
    if (row === undefined) return;
    if (row.live > 1 && !row.concurrent_allowed) {
      this.#options.report(IDENTITY_EVENTS.concurrentBinding, { live_bindings: row.live }, agentId);
    }
    if (row.parent_consistent === false) {
      this.#options.report(IDENTITY_EVENTS.parentMismatch, { parent_agent_id: parentAgentId }, agentId);
    }
  }

  /**
   * Issues a session secret; of one proof (`by`) always the same one, so that a look at oneself each minute does not make
   * a credential each minute. One that was revoked or has expired is not revived: then it is a new one.
   */
  async #issueSession(agentId: string, assurance: Exclude<Assurance, 'none'>, by: string | undefined): Promise<string> {
    const issue = async (secret: string): Promise<boolean> => {
      const hash = credentialHash(secret);
      if (this.#bindings.read(hash).ok) return true;
      await this.#bindings.issue(hash, { kind: 'session', agentId, assurance });
      return this.#bindings.read(hash).ok;
    };
    const derived = by === undefined ? undefined : this.#tokens.sessionSecret([agentId, assurance, by]);
    if (derived !== undefined && (await issue(derived))) return derived;
    const secret = this.#options.ids.secret();
    await issue(secret);
    return secret;
  }

  async #issueToken(
    agentId: string,
    assurance: Exclude<Assurance, 'none'>,
    evidence: Evidence,
  ): Promise<string | undefined> {
    if (assurance === 'weak') return undefined;
    const token = this.#tokens.issue(agentId, evidence, this.#options.clock.now());
    const hash = credentialHash(token);
    await this.#bindings.issue(hash, { kind: 'continuity_token', agentId, assurance });
    // The tokens of one second are one: when it was revoked in this very second, there is none until the next.
    return this.#bindings.read(hash).ok ? token : undefined;
  }

  #holderOf(label: string, but: string | undefined): AgentHead | undefined {
    return this.#options.agents.named(label).find(({ agentId }) => agentId !== but);
  }
}

const isResident = ({ tags }: AgentHead): boolean => RESIDENT_TAGS.every((tag) => tags.includes(tag));

/** The kept name that the agent bears, as it is or with the suffix that it was given beside another of that name. */
const keptName = (names: readonly string[], { label, agentId }: AgentHead): string | undefined =>
  names.find((name) => label === name || label === `${name}_${agentId.slice(0, 8)}`);

/** The agent of a caller; only a bound one is given credentials. */
const bound = ({ agentId, assurance }: Caller): { agentId: string; assurance: Exclude<Assurance, 'none'> } => {
  if (agentId === undefined || assurance === 'none') throw new Error('only a bound caller is given credentials');
  return { agentId, assurance };
};

const INFERRED = { assurance: 'weak', source: 'onboard_pin' as ProofSource, origin: 'server_inferred' } as const;
