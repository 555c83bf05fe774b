/** The names that README teaches, of tools that the wire knows by another; a test compares them with the contract. */
export const TAUGHT: Readonly<Record<string, string>> = {
  onboard: 'start_session',
  process_agent_update: 'sync_state',
  get_governance_metrics: 'check_working_state',
  outcome_event: 'record_result',
};

/** A line's place for a reader: the tool by the name that is taught, else the route. `wire` is how it is recorded. */
export const placeOf = ({
  endpoint,
  tool,
}: {
  readonly endpoint: string | null;
  readonly tool: string | null;
}): { readonly shown: string; readonly wire: string } => ({
  shown: tool === null ? (endpoint ?? '–') : (TAUGHT[tool] ?? tool),
  wire: [endpoint, tool].filter((part) => part !== null).join(' '),
});
