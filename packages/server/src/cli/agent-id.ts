import { refuse } from '@breakwater/contract';
import type { Queryable } from '../postgres/index.ts';
import { accepted } from './fail.ts';

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
  if (begun.length > 1) {
    accepted(
      refuse('AGENT_NOT_FOUND', `The ids of several agents begin with ${start}.`, {
        recovery: { action: `Give more of it, such as ${begun.map(({ id }) => id).join(' or ')}.` },
      }),
    );
  }
  return begun[0]?.id ?? text;
};
