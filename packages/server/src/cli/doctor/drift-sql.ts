const NAME = /^[a-z_][a-z0-9_]*$/;
const LINE = /^([+-]) (\S+) (column|constraint|index|trigger) (.+)$/;

/** A line of the drift report, taken apart. */
interface Difference {
  readonly sign: string;
  readonly table: string;
  readonly kind: string;
  readonly name: string;
  /** What stands behind the name. */
  readonly rest: string;
}

const indexName = (definition: string): string => /^CREATE (?:UNIQUE )?INDEX (\S+) ON /.exec(definition)?.[1] ?? '';
const triggerName = (definition: string): string =>
  /^CREATE (?:CONSTRAINT )?TRIGGER (\S+) /.exec(definition)?.[1] ?? '';

const parse = (line: string): Difference | undefined => {
  const [, sign, table, kind, text] = LINE.exec(line) ?? [];
  if (sign === undefined || table === undefined || kind === undefined || text === undefined) return undefined;
  const [first = '', ...rest] = text.split(' ');
  const name = kind === 'index' ? indexName(text) : kind === 'trigger' ? triggerName(text) : first;
  const definition = kind === 'index' || kind === 'trigger' ? text : rest.join(' ');
  return NAME.test(name) ? { sign, table, kind, name, rest: definition } : undefined;
};

const statement = ({ sign, table, kind, name, rest }: Difference): string | undefined => {
  const [schema = ''] = table.split('.');
  const isExtra = sign === '+';
  switch (kind) {
    case 'column':
      if (isExtra) return `ALTER TABLE ${table} DROP COLUMN ${name};`;
      // Values of the others cannot be known; a column that must have one cannot simply be added again.
      return / (generated|identity)\b/.test(rest) || (/ not null/.test(rest) && !/ default /.test(rest))
        ? undefined
        : `ALTER TABLE ${table} ADD COLUMN ${name} ${rest};`;
    case 'constraint':
      return isExtra
        ? `ALTER TABLE ${table} DROP CONSTRAINT ${name};`
        : `ALTER TABLE ${table} ADD CONSTRAINT ${name} ${rest};`;
    case 'index':
      if (isExtra)
        return rest.endsWith(' INVALID') ? `REINDEX INDEX ${schema}.${name};` : `DROP INDEX ${schema}.${name};`;
      return `${rest};`;
    default:
      return isExtra ? `DROP TRIGGER ${name} ON ${table};` : `${rest};`;
  }
};

/**
 * SQL that takes a difference back, for each line of the drift report for which it is plain: something added, or
 * something taken away that its definition makes anew. What has changed in place (two lines of one name) has none: to
 * drop and make it again could lose data.
 */
export const driftSql = (lines: readonly string[]): string[] => {
  const parsed = lines.map(parse).filter((one) => one !== undefined);
  const seen = new Map<string, number>();
  const key = ({ table, kind, name }: Difference): string => `${table} ${kind} ${name}`;
  for (const one of parsed) seen.set(key(one), (seen.get(key(one)) ?? 0) + 1);
  const columns = new Set(parsed.filter(({ kind, sign }) => kind === 'column' && sign === '+').map(({ name }) => name));
  return (
    parsed
      .filter((one) => seen.get(key(one)) === 1)
      // An index or constraint on a column that is dropped goes with it.
      .filter(
        ({ kind, sign, rest }) =>
          kind === 'column' || sign === '-' || ![...columns].some((c) => rest.includes(`(${c})`)),
      )
      .sort((a, b) => Number(b.kind === 'column') - Number(a.kind === 'column'))
      .map(statement)
      .filter((sql) => sql !== undefined)
  );
};
