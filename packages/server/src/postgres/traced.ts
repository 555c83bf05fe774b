import { traced } from '../runtime/index.ts';
import type { Database } from './database.ts';

const QUERY = {
  name: 'postgresql query',
  kind: 'client',
  attributes: { 'db.system.name': 'postgresql' },
} as const;
const TRANSACTION = { ...QUERY, name: 'postgresql transaction' } as const;

/**
 * The same database, each of whose queries and transactions is a span of the request that it serves (W3-6.10). SQL is not
 * part of a span, for it says nothing that a statement's name does not; nor are values, which are the caller's.
 */
export const tracedDatabase = (database: Database): Database => ({
  query: (statement) =>
    traced(
      statement.name === undefined
        ? QUERY
        : { ...QUERY, attributes: { ...QUERY.attributes, 'db.query.summary': statement.name } },
      () => database.query(statement),
    ),
  transaction: (work, usesPool) => traced(TRANSACTION, () => database.transaction(work, usesPool)),
  connect: () => database.connect(),
  close: () => database.close(),
});
