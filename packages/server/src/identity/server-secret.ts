import type { Database } from '../postgres/index.ts';
import type { Ids } from '../runtime/index.ts';
import * as sql from './sql.ts';

/** The database's own secret of this name, made when it has none yet: the same for every server, whoever starts first. */
export const serverSecret = async (database: Database, ids: Ids, name: string): Promise<Uint8Array> => {
  const kept = await database.query<{ secret: Uint8Array }>(sql.selectSecret(name));
  const [row] =
    kept.length > 0 ? kept : await database.query<{ secret: Uint8Array }>(sql.keepSecret(name, ids.secret()));
  if (row === undefined) throw new Error(`the secret ${name} was not returned`);
  return row.secret;
};
