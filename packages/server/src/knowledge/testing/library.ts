import { onboard, type Minted } from '../../../testing/calls.ts';
import type { Json } from '../../../testing/rest.ts';
import type { World } from '../../../testing/world.ts';

/** A new agent of a world. */
export const agent = (w: World, args: Json = {}): Promise<Minted> => onboard(w.call, { force_new: true, ...args });

/** Arguments with the agent's proof. */
export const as = ({ secret }: Minted, args: Json = {}): Json => ({ client_session_id: secret, ...args });

/** Stores a finding, and fails the test when that is refused; gives its id. */
export const store = async (w: World, who: Minted | null, args: Json): Promise<string> => {
  const finding = { summary: 'A finding', ...args };
  const { ok, body } = await w.call('store_finding', who === null ? finding : as(who, finding));
  if (!ok) throw new Error(`store was refused: ${JSON.stringify(body)}`);
  return String(body['discovery_id']);
};

/** Findings of an answer. */
export const found = (body: Json): Json[] => body['discoveries'] as Json[];
/** Ids of the findings of an answer, in their order. */
export const idsOf = (body: Json): unknown[] => found(body).map(({ id }) => id);

/** The row of a finding. */
export const row = async (w: World, id: string): Promise<Json> =>
  (await w.rows('SELECT * FROM knowledge.discoveries WHERE id = $1', id))[0] ?? {};

/** What the audit trail holds about a finding, oldest first. */
export const audited = (w: World, id: unknown): Promise<Json[]> =>
  w.rows(
    `SELECT agent_id, event_type, payload, chain_index FROM audit.events WHERE payload ->> 'discovery_id' = $1
     ORDER BY ts, chain_index`,
    id,
  );
