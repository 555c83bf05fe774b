import type { FlagsView } from '@breakwater/contract/overview';
import { plain, words } from '../format.ts';
import { useData } from '../live.ts';
import { ActButton, ReadOnlyNote } from '../parts/act.tsx';
import { setFlagAct } from '../parts/acts.tsx';
import { Badge, Facts, PageTitle, Section, Time } from '../parts/basics.tsx';
import { Empty, Shown } from '../parts/state.tsx';
import { Table, type Column } from '../parts/table.tsx';

const ORIGINS: Readonly<Record<string, string>> = {
  environment: 'set by the environment of this node, which wins',
  postgres: 'set in the database',
  default: 'the default',
};

const HISTORY: readonly Column<FlagsView['history'][number]>[] = [
  { name: 'When', cell: ({ at }) => <Time at={at} /> },
  { name: 'Flag', heads: true, cell: ({ key }) => words(key) },
  { name: 'From', cell: ({ from }) => plain(from) },
  { name: 'To', cell: ({ to }) => plain(to) },
  { name: 'By', cell: ({ by }) => by },
  { name: 'Reason', cell: ({ reason }) => reason },
];

/** The switches of the server, and who turned them. */
export const FlagsPage = () => {
  const loaded = useData<FlagsView>('/api/flags');
  return (
    <>
      <PageTitle title="Settings" />
      <ReadOnlyNote />
      <Shown loaded={loaded}>
        {(view) => (
          <>
            <div class="grid">
              {view.flags.map((flag) => (
                <Section key={flag.key} title={words(flag.key)} aside={<ActButton small act={setFlagAct(flag)} />}>
                  <p class="lead">
                    <Badge word={flag.value} /> <span class="faint">{ORIGINS[flag.origin] ?? flag.origin}</span>
                  </p>
                  <p>{flag.description}.</p>
                  <Facts
                    facts={[
                      ['key', <code key="key">{flag.key}</code>],
                      ['allowed values', flag.values.join(', ')],
                      ['default', flag.default],
                      ['set by', flag.stored?.by ?? '–'],
                      ['reason', flag.stored?.reason ?? '–'],
                    ]}
                  />
                </Section>
              ))}
            </div>
            <Section title="History">
              {view.history.length === 0 ? (
                <Empty title="No changes yet" />
              ) : (
                <Table
                  label="History of the flags"
                  columns={HISTORY}
                  rows={view.history}
                  keyOf={({ at, key }) => `${at} ${key}`}
                />
              )}
            </Section>
          </>
        )}
      </Shown>
    </>
  );
};
