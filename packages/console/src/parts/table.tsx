import type { ComponentChildren } from 'preact';

/** One column of a table. */
export interface Column<Row> {
  /** Its heading. Where a row is a card, on a phone, it stands before the value. */
  readonly name: string;
  readonly numeric?: boolean;
  /** It names its row. */
  readonly heads?: boolean;
  /** Its heading is for screen readers alone: a column of buttons. */
  readonly silent?: boolean;
  /** How the rows are sorted by it, and the button that sorts them; absent: it cannot be sorted by. */
  readonly sort?: { readonly sorted: 'ascending' | 'descending' | undefined; readonly choose: () => void };
  /** What is shown to a reader who points at the cell. */
  readonly title?: (row: Row) => string | undefined;
  readonly cell: (row: Row) => ComponentChildren;
}

const ARROWS = { ascending: ' ↑', descending: ' ↓' } as const;

const Heading = <Row,>({ name, numeric, silent, sort }: Column<Row>) => (
  <th scope="col" class={numeric === true ? 'numeric' : undefined} aria-sort={sort?.sorted}>
    {sort !== undefined ? (
      <button type="button" class="sort" onClick={sort.choose}>
        {name}
        <span aria-hidden="true">{sort.sorted !== undefined && ARROWS[sort.sorted]}</span>
      </button>
    ) : silent === true ? (
      <span class="visually-hidden">{name}</span>
    ) : (
      name
    )}
  </th>
);

const Cell = <Row,>({ column, row }: { column: Column<Row>; row: Row }) => {
  const { name, numeric, heads, silent, title, cell } = column;
  const common = {
    class: numeric === true ? 'numeric' : undefined,
    title: title?.(row),
    'data-name': silent === true || heads === true ? undefined : name,
  };
  return heads === true ? (
    <th scope="row" {...common}>
      {cell(row)}
    </th>
  ) : (
    <td {...common}>{cell(row)}</td>
  );
};

/** A table that scrolls in its own place, and whose rows are cards on a phone. `label` says what it lists. */
export const Table = <Row,>({
  label,
  columns,
  rows,
  keyOf,
  region,
}: {
  label: string;
  columns: readonly Column<Row>[];
  rows: readonly Row[];
  keyOf: (row: Row) => string | number;
  /** What happens when somebody begins or ends to point at it. */
  region?: Readonly<Record<'onPointerEnter' | 'onPointerLeave' | 'onFocusIn' | 'onFocusOut', () => void>>;
}) => (
  <div class="scroll" tabIndex={0} role="region" aria-label={`${label}, a table`} {...region}>
    <table>
      <thead>
        <tr>
          {columns.map((column) => (
            <Heading key={column.name} {...column} />
          ))}
        </tr>
      </thead>
      <tbody>
        {rows.map((row) => (
          <tr key={keyOf(row)}>
            {columns.map((column) => (
              <Cell key={column.name} column={column} row={row} />
            ))}
          </tr>
        ))}
      </tbody>
    </table>
  </div>
);
