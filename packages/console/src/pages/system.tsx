import type { OperatorsView, SystemView } from '@breakwater/contract/overview';
import { number, size } from '../format.ts';
import { useData } from '../live.ts';
import { ActButton, ReadOnlyNote } from '../parts/act.tsx';
import { retrySagaAct, revertSagaAct, revokeOperatorAct } from '../parts/acts.tsx';
import { AgentLink, Badge, Facts, PageTitle, Section, Time } from '../parts/basics.tsx';
import { Empty, Shown } from '../parts/state.tsx';

const Readiness = ({ view }: { view: SystemView }) => (
  <ul class="plain">
    {Object.entries(view.parts).map(([part, warm]) => (
      <li key={part}>
        <Badge word={warm ? 'ready' : 'not ready'} /> {part}
      </li>
    ))}
  </ul>
);

const Partitions = ({ partitions }: { partitions: SystemView['partitions'] }) =>
  partitions === null ? (
    <Empty title="Not known: PostgreSQL does not answer" />
  ) : (
    <div class="scroll" tabIndex={0} role="region" aria-label="Partitions, a table">
      <table>
        <thead>
          <tr>
            <th scope="col">Table</th>
            <th scope="col">Kept</th>
            <th scope="col" class="numeric">
              Partitions
            </th>
            <th scope="col">Oldest</th>
            <th scope="col" class="numeric">
              Rows
            </th>
            <th scope="col" class="numeric">
              Size
            </th>
            <th scope="col" class="numeric">
              Months ahead
            </th>
            <th scope="col">Overdue</th>
          </tr>
        </thead>
        <tbody>
          {partitions.map((table) => (
            <tr key={table.table}>
              <th scope="row">{table.table}</th>
              <td>{table.kept_days === null ? 'for ever' : `${table.kept_days} days`}</td>
              <td class="numeric">{table.partitions}</td>
              <td>
                <Time at={table.oldest} />
              </td>
              <td class="numeric">{number(table.rows, 0)}</td>
              <td class="numeric">{size(table.bytes)}</td>
              <td class="numeric">{table.months_ahead}</td>
              <td>{table.overdue.length === 0 ? '–' : table.overdue.join(', ')}</td>
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );

const Sagas = ({ sagas }: { sagas: SystemView['sagas'] }) =>
  sagas.length === 0 ? (
    <Empty title="No resolution is being carried out, and none was given up" />
  ) : (
    <ul class="plain">
      {sagas.map((saga) => (
        <li key={saga.saga_id}>
          <Badge word={saga.dead_letter ? 'given up' : saga.state} /> of <AgentLink agent={saga.agent} />{' '}
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

const Operators = () => {
  const loaded = useData<OperatorsView>('/api/operators');
  return (
    <Shown loaded={loaded}>
      {({ operators }) => (
        <div class="scroll" tabIndex={0} role="region" aria-label="Operators, a table">
          <table>
            <thead>
              <tr>
                <th scope="col">Name</th>
                <th scope="col">May</th>
                <th scope="col">State</th>
                <th scope="col">Made</th>
                <th scope="col">Last seen</th>
                <th scope="col">Ends</th>
                <th scope="col">
                  <span class="visually-hidden">Acts</span>
                </th>
              </tr>
            </thead>
            <tbody>
              {operators.map((operator) => (
                <tr key={`${operator.name} ${operator.created_at}`}>
                  <th scope="row">{operator.name}</th>
                  <td>{operator.can_act ? 'look and act' : 'look only'}</td>
                  <td>
                    <Badge word={operator.state} />
                  </td>
                  <td>
                    <Time at={operator.created_at} />
                  </td>
                  <td>
                    <Time at={operator.last_seen_at} />
                  </td>
                  <td>
                    <Time at={operator.expires_at} />
                  </td>
                  <td>{operator.state === 'in force' && <ActButton small act={revokeOperatorAct(operator.name)} />}</td>
                </tr>
              ))}
            </tbody>
          </table>
        </div>
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
                        [`mailboxes of ${name}`, `${count} loaded, ${waiting} calls wait`] as const,
                    ),
                    ['event loop late by', `${number(view.event_loop_ms.p99, 1)} ms at p99`],
                    ...(['failures', 'measurements'] as const).map(
                      (kind) =>
                        [
                          `${kind} on their way`,
                          `${view.channel[kind].waiting} wait, ${view.channel[kind].dropped} dropped`,
                        ] as const,
                    ),
                  ]}
                />
              </Section>
            </div>
            <Section title="Resolutions under way">
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
