import type { FlagsView } from '@breakwater/contract/overview';
import { plain, words } from '../format.ts';
import { useData } from '../live.ts';
import { ActButton, ReadOnlyNote } from '../parts/act.tsx';
import { setFlagAct } from '../parts/acts.tsx';
import { Badge, Facts, PageTitle, Section, Time } from '../parts/basics.tsx';
import { Empty, Shown } from '../parts/state.tsx';

const ORIGINS: Readonly<Record<string, string>> = {
  environment: 'by the environment of this node, which wins',
  postgres: 'as it is stored',
  default: 'by default',
};

/** The switches of the server, and who turned them. */
export const FlagsPage = () => {
  const loaded = useData<FlagsView>('/api/flags');
  return (
    <>
      <PageTitle title="Flags" />
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
                      ['legal values', flag.values.join(', ')],
                      ['default', flag.default],
                      ['set by', flag.stored?.by ?? '–'],
                      ['because', flag.stored?.reason ?? '–'],
                    ]}
                  />
                </Section>
              ))}
            </div>
            <Section title="History">
              {view.history.length === 0 ? (
                <Empty title="No flag was ever changed" />
              ) : (
                <div class="scroll" tabIndex={0} role="region" aria-label="History of the flags, a table">
                  <table>
                    <thead>
                      <tr>
                        <th scope="col">When</th>
                        <th scope="col">Flag</th>
                        <th scope="col">From</th>
                        <th scope="col">To</th>
                        <th scope="col">By</th>
                        <th scope="col">Because</th>
                      </tr>
                    </thead>
                    <tbody>
                      {view.history.map((change) => (
                        <tr key={`${change.at} ${change.key}`}>
                          <td>
                            <Time at={change.at} />
                          </td>
                          <th scope="row">{words(change.key)}</th>
                          <td>{plain(change.from)}</td>
                          <td>{plain(change.to)}</td>
                          <td>{change.by}</td>
                          <td>{change.reason}</td>
                        </tr>
                      ))}
                    </tbody>
                  </table>
                </div>
              )}
            </Section>
          </>
        )}
      </Shown>
    </>
  );
};
