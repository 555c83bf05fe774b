/** Where an onboard came from, as far as the server can see. */
interface Origin {
  /** The peer's whole address; undefined on a unix socket. */
  readonly address: string | undefined;
  readonly userAgent: string | undefined;
  readonly clientHint: string | undefined;
  readonly modelFamily: string | undefined;
  /** The caller named its model itself. */
  readonly modelGiven: boolean;
}

/**
 * The scopes under which an onboard is pinned and looked up again, most exact first (surface F). Every scope holds the
 * whole address and the whole user agent [ours]: with less, two people who use the same program would share a pin. The
 * bare scope is there only when nothing more exact is known. Empty without address or user agent: no pin then.
 */
export const pinScopes = ({ address, userAgent, clientHint, modelFamily, modelGiven }: Origin): readonly string[] => {
  if (address === undefined || userAgent === undefined || userAgent === '') return [];
  const scope = (hint?: string, model?: string) =>
    JSON.stringify(['onboard_pin', address, userAgent, hint ?? null, model ?? null]);
  const hinted = clientHint !== undefined && clientHint !== 'unknown';
  return [
    ...(hinted && modelFamily !== undefined ? [scope(clientHint, modelFamily)] : []),
    ...(hinted ? [scope(clientHint)] : []),
    ...(modelFamily === undefined ? [] : [scope(undefined, modelFamily)]),
    ...(!hinted && !modelGiven ? [scope()] : []),
  ];
};

/**
 * The places at which an agent is met: its address with its program, and the session of its MCP transport. None where one of
 * the two is not known: whole networks share an address. They are compared as hashes and prove nobody.
 */
export const placesOf = (seen: {
  readonly address?: string | undefined;
  readonly userAgent?: string | undefined;
  readonly mcpSessionId?: string | undefined;
}): readonly string[] => [
  ...(seen.address === undefined || seen.userAgent === undefined || seen.userAgent === ''
    ? []
    : [JSON.stringify(['place', seen.address, seen.userAgent])]),
  ...(seen.mcpSessionId === undefined ? [] : [JSON.stringify(['mcp_session', seen.mcpSessionId])]),
];

/** A child that its parent sent: its onboard must not take the pin of the parent, which goes on working. */
export const isDispatchedChild = (spawnReason: string | null): boolean =>
  spawnReason === 'subagent' || spawnReason === 'dialectic_reviewer' || spawnReason === 'dispatch';

/** The ladder of the honesty gates. */
export type Mode = 'off' | 'observe' | 'enforce';

/**
 * What an onboard without proof does with a pin that was found (W3-3.06): `off` resumes, `observe` resumes and reports,
 * `enforce` resumes nothing and reports. An agent_id in the arguments passes the check without a report, and is held
 * against the pin: a pin of another agent is not used.
 */
export const pinDecision = (
  mode: Mode,
  pinned: string | undefined,
  claimedAgentId: string | undefined,
): { readonly resume: boolean; readonly report: boolean } => {
  if (pinned === undefined || (claimedAgentId !== undefined && claimedAgentId !== pinned)) {
    return { resume: false, report: false };
  }
  return { resume: mode !== 'enforce', report: mode !== 'off' && claimedAgentId === undefined };
};
