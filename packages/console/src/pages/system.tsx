import type { OperatorsView, SystemView } from '@breakwater/contract/overview';
import { number, size } from '../format.ts';
import { useData } from '../live.ts';
import { ActButton, ReadOnlyNote } from '../parts/act.tsx';
import { retrySagaAct, revertSagaAct, revokeOperatorAct } from '../parts/acts.tsx';
import { AgentLink, Badge, Facts, PageTitle, Section, Time } from '../parts/basics.tsx';
import { Empty, Shown } from '../parts/state.tsx';
import { Table, type Column } from '../parts/table.tsx';

const Readiness = ({ view }: { view: SystemView }) => (
  <ul class="plain">
    {Object.entries(view.parts).map(([part, warm]) => (
      <li key={part}>
        <Badge word={warm ? 'ready' : 'not ready'} /> {part}
      </li>
    ))}
  </ul>
);

type Partition = NonNullable<SystemView['partitions']>[number];

const PARTITIONS: readonly Column<Partition>[] = [
  { name: 'Table', heads: true, cell: ({ table }) => table },
  { name: 'Kept', cell: ({ kept_days }) => (kept_days === null ? 'for ever' : `${kept_days} days`) },
  { name: 'Partitions', numeric: true, cell: ({ partitions }) => partitions },
  { name: 'Oldest', cell: ({ oldest }) => <Time at={oldest} /> },
  {
    name: 'Rows, estimated',
    numeric: true,
    title: () => 'What PostgreSQL counted when it last analysed the table',
    cell: ({ rows }) => (rows === null ? 'not known' : `~${number(rows, 0)}`),
  },
  { name: 'Size', numeric: true, cell: ({ bytes }) => size(bytes) },
  { name: 'Months ahead', numeric: true, cell: ({ months_ahead }) => months_ahead },
  { name: 'Overdue', cell: ({ overdue }) => (overdue.length === 0 ? '–' : overdue.join(', ')) },
];

const Partitions = ({ partitions }: { partitions: SystemView['partitions'] }) =>
  partitions === null ? (
    <Empty title="Not known: PostgreSQL does not answer" />
  ) : (
    <Table label="Partitions" columns={PARTITIONS} rows={partitions} keyOf={({ table }) => table} />
  );

const Sagas = ({ sagas }: { sagas: SystemView['sagas'] }) =>
  sagas.length === 0 ? (
    <Empty title="No running resolutions, and none failed" />
  ) : (
    <ul class="plain">
      {sagas.map((saga) => (
        <li key={saga.saga_id}>
          <Badge word={saga.dead_letter ? 'failed permanently' : saga.state} /> of <AgentLink agent={saga.agent} />{' '}
          {saga.last_error !== null && <span class="bad-text">{saga.last_error}</span>}
          {saga.dead_letter && (
            <span class="acts">
              <ActButton small act={retrySagaAct(saga.saga_id)} />
              <ActButton small act={revertSagaAct(saga.saga_id)} />
            </span>
          )}
        </li>
      ))}
    </ul>
  );

type Operator = OperatorsView['operators'][number];

const OPERATORS: readonly Column<Operator>[] = [
  { name: 'Name', heads: true, cell: ({ name }) => name },
  { name: 'Role', cell: ({ can_act }) => (can_act ? 'operator' : 'read only') },
  { name: 'State', cell: ({ state }) => <Badge word={state} /> },
  { name: 'Created', cell: ({ created_at }) => <Time at={created_at} /> },
  { name: 'Last seen', cell: ({ last_seen_at }) => <Time at={last_seen_at} /> },
  { name: 'Expires', cell: ({ expires_at }) => <Time at={expires_at} /> },
  {
    name: 'Acts',
    silent: true,
    cell: ({ name, state }) => state === 'in force' && <ActButton small act={revokeOperatorAct(name)} />,
  },
];

const Operators = () => {
  const loaded = useData<OperatorsView>('/api/operators');
  return (
    <Shown loaded={loaded}>
      {({ operators }) => (
        <Table
          label="Operators"
          columns={OPERATORS}
          rows={operators}
          keyOf={({ name, created_at }) => `${name} ${created_at}`}
        />
      )}
    </Shown>
  );
};

/** What the server is made of, and how each part does. */
export const SystemPage = () => {
  const loaded = useData<SystemView>('/api/system');
  return (
    <>
      <PageTitle title="System" />
      <ReadOnlyNote />
      <Shown loaded={loaded}>
        {(view) => (
          <>
            <div class="grid">
              <Section title="Readiness" aside={<Badge word={view.ready ? 'ready' : 'not ready'} />}>
                <Readiness view={view} />
              </Section>
              <Section title="Versions">
                <Facts
                  facts={[
                    ['Breakwater', view.version],
                    ['Node', view.node_version],
                    ['PostgreSQL', view.database.version],
                    [
                      'database',
                      `${view.database.embedded ? 'embedded' : 'by DATABASE_URL'}, ${size(view.database.bytes)}`,
                    ],
                    ['schema', `${number(view.database.schema_version)} of ${number(view.database.schema_target)}`],
                    ['started', <Time key="started" at={view.started_at} />],
                  ]}
                />
              </Section>
              <Section title="Nodes on this database">
                {view.nodes.length === 0 ? (
                  <Empty title="Not known: PostgreSQL does not answer" />
                ) : (
                  <ul class="plain">
                    {view.nodes.map((node) => (
                      <li key={node.name}>
                        <strong>{node.name.replace('breakwater ', '')}</strong>{' '}
                        <span class="faint">
                          {node.self ? 'this one, ' : ''}
                          {node.connections} connections, since <Time at={node.since} />
                        </span>
                      </li>
                    ))}
                  </ul>
                )}
              </Section>
              <Section title="In memory">
                <Facts
                  facts={[
                    ...view.live_tables.map(
                      ({ name, rows }) => [name.replaceAll('_', ' '), rows.toLocaleString('en')] as const,
                    ),
                    ...view.mailboxes.map(
                      ({ name, loaded: count, waiting }) =>
                        [`${name} queues`, `${count} loaded, ${waiting} calls queued`] as const,
                    ),
                    ['event-loop lag', `${number(view.event_loop_ms.p99, 1)} ms at p99`],
                    ...(['failures', 'measurements'] as const).map(
                      (kind) =>
                        [
                          `queued ${kind}`,
                          `${view.channel[kind].waiting} queued, ${view.channel[kind].dropped} dropped`,
                        ] as const,
                    ),
                  ]}
                />
              </Section>
            </div>
            <Section title="Running resolutions">
              <Sagas sagas={view.sagas} />
            </Section>
            <Section title="Partitions">
              <Partitions partitions={view.partitions} />
            </Section>
            <Section title="Operators">
              <Operators />
            </Section>
          </>
        )}
      </Shown>
    </>
  );
};
