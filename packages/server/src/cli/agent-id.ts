import { refuse } from '@breakwater/contract';
import type { AgentsPage } from '@breakwater/contract/overview';
import type { Queryable } from '../postgres/index.ts';
import { accepted } from './fail.ts';
import type { Remote } from './remote.ts';

/** The least of an id that names an agent; fewer characters fit too many. */
const SHORT_ID = /^[0-9a-f]{8}[0-9a-f-]{0,27}$/;

/**
 * The id of the agent that an argument of a command on the database means: its id, its name, or the beginning of its id.
 * What means no agent is given back as it is, since rows may be left of one that is gone; what means several is refused.
 */
export const agentIdOf = async (database: Queryable, text: string): Promise<string> => {
  const exact = await database.query<{ id: string }>({
    text: 'SELECT id FROM core.agents WHERE id = $1 OR label IN ($1, $2) ORDER BY id = $1 DESC LIMIT 1',
    values: [text, text.normalize('NFC')],
  });
  if (exact[0] !== undefined) return exact[0].id;
  const start = text.toLowerCase();
  if (!SHORT_ID.test(start)) return text;
  const begun = await database.query<{ id: string; label: string | null }>({
    text: 'SELECT id, label FROM core.agents WHERE starts_with(id, $1) ORDER BY id LIMIT 2',
    values: [start],
  });
  return (
    onlyOf(
      start,
      begun.map(({ id }) => id),
    ) ?? text
  );
};

/** The one id that begins so, or undefined; several are refused. */
const onlyOf = (start: string, ids: readonly string[]): string | undefined => {
  if (ids.length > 1) {
    accepted(
      refuse('AGENT_NOT_FOUND', `The ids of several agents begin with ${start}.`, {
        recovery: { action: `Give more of it, such as ${ids.slice(0, 2).join(' or ')}.` },
      }),
    );
  }
  return ids[0];
};

const MOST = 1000;

/**
 * What a server takes for the agent that an argument of a command means: the id, where the argument is the beginning of one and no
 * agent's name; else the argument as it is, since the server knows ids and names. What means several is refused.
 */
export const agentOn = async (remote: Remote, text: string): Promise<string> => {
  const start = text.toLowerCase();
  if (!SHORT_ID.test(start)) return text;
  const { rows } = await remote.read<AgentsPage>('agents', { search: start, status: 'all', limit: String(MOST) });
  if (rows.some(({ name }) => name === text)) return text;
  const ids = rows.map(({ agent_id: id }) => id).filter((id) => id.startsWith(start));
  return onlyOf(start, ids) ?? text;
};
