import type { ComponentChildren } from 'preact';
import type { AgentsPage, AgentView } from '@breakwater/contract/overview';
import type { ReliabilityBin } from '../curves.ts';
import { number, percent, words } from '../format.ts';
import { useData, type Loaded } from '../live.ts';
import { Badge, Facts, PageTitle, Section, Time } from '../parts/basics.tsx';
import { ReliabilityDiagram } from '../parts/plots.tsx';
import { Empty, Shown } from '../parts/state.tsx';
import { Table, type Column } from '../parts/table.tsx';
import { addressOf, navigate, route } from '../router.ts';

const EVERY_MS = 30_000;
const SPANS = ['7d', '30d', '90d'] as const;

interface Finding {
  readonly code: string;
  readonly message: string;
}
interface Calibration {
  readonly calibration_status: string;
  readonly issues: readonly Finding[];
  readonly advisories: readonly Finding[];
  readonly accuracy: number | null;
  readonly mean_gap: number | null;
  readonly worst_bin_gap: number | null;
  readonly skill: {
    readonly brier: number | null;
    readonly reliability: number | null;
    readonly resolution: number | null;
    readonly uncertainty: number | null;
    readonly skill: number | null;
    readonly one_class: boolean | null;
  };
  readonly total_samples: number;
  readonly confidence_distribution: { readonly mean: number | null };
  readonly tactical_evidence: {
    readonly newest_at: string | null;
    readonly interval: readonly [number, number] | null;
  };
  readonly curves: { readonly tactical: { readonly n: number; readonly bins: readonly ReliabilityBin[] } };
  readonly guidance: { readonly confidence_policy: string };
  readonly window: { readonly since: string; readonly as_of: string };
}

const intervalText = (interval: readonly [number, number] | null): string =>
  interval === null ? '–' : `${percent(interval[0])} to ${percent(interval[1])}`;

const BINS: readonly Column<ReliabilityBin>[] = [
  { name: 'Claims from', heads: true, cell: ({ lower, upper }) => `${number(lower, 1)} to ${number(upper, 1)}` },
  { name: 'How many', numeric: true, cell: ({ n }) => n.toLocaleString('en') },
  { name: 'Claimed', numeric: true, cell: ({ mean_confidence }) => percent(mean_confidence) },
  { name: 'Passed', numeric: true, cell: ({ accuracy }) => percent(accuracy) },
];

const Bins = ({ bins }: { bins: readonly ReliabilityBin[] }) => (
  <Table
    label="Claims by confidence"
    columns={BINS}
    rows={bins.filter(({ n }) => n > 0)}
    keyOf={({ lower }) => lower}
  />
);

/** Whose calibration it is: the name also where the address has the id. */
const TitleOf = ({ agent, children }: { agent: string; children: ComponentChildren }) => {
  const { data } = useData<AgentView>(`/api/agents/${encodeURIComponent(agent)}`, EVERY_MS);
  return <PageTitle title={`Calibration of ${data?.name ?? agent}`}>{children}</PageTitle>;
};

/** No agent bears the name that was typed: those whose names hold it. */
const NoSuchAgent = ({ name, since }: { name: string; since: string }) => {
  const query = { search: name, status: 'all', sort: 'name', limit: 8 };
  const { data } = useData<AgentsPage>(addressOf('/agents', query).replace('/dashboard', '/api'));
  const rows = data?.rows ?? [];
  return (
    <Empty title={`No agent has the id or the name “${name}”`}>
      {data !== undefined && (
        <p>
          {rows.length === 0 ? 'No name, purpose or tag of an agent holds it either.' : 'Did you mean one of these?'}
        </p>
      )}
      <ul class="inline">
        {rows.map((row) => (
          <li key={row.agent_id}>
            <a href={addressOf('/calibration', { since, agent: row.agent_id })}>{row.name}</a>
          </li>
        ))}
      </ul>
    </Empty>
  );
};

const Report = ({ loaded }: { loaded: Loaded<Calibration> }) => (
  <Shown loaded={loaded} everyMs={EVERY_MS}>
    {(view) => (
      <>
        <p class="summary">
          <Badge word={view.calibration_status} /> {view.guidance.confidence_policy}
        </p>
        {[...view.issues, ...view.advisories].length > 0 && (
          <Section title="Issues">
            <ul class="plain">
              {[...view.issues, ...view.advisories].map((one) => (
                <li key={one.code + one.message}>
                  <strong>{words(one.code)}</strong> {one.message}
                </li>
              ))}
            </ul>
          </Section>
        )}
        <div class="grid">
          <Section title="Reliability: claims against results">
            {view.curves.tactical.n === 0 ? (
              <Empty title="No claim has a graded result yet">
                <p>It takes a result with evidence for a check-in that stated a confidence.</p>
              </Empty>
            ) : (
              <ReliabilityDiagram bins={view.curves.tactical.bins} />
            )}
          </Section>
          <Section title="In numbers">
            <Facts
              facts={[
                ['graded results', view.curves.tactical.n.toLocaleString('en')],
                ['claimed on average', percent(view.confidence_distribution.mean)],
                ['passed', percent(view.accuracy)],
                ['95% interval of the pass rate', intervalText(view.tactical_evidence.interval)],
                ['mean gap, claims less results', number(view.mean_gap)],
                ['largest gap of a bin', number(view.worst_bin_gap)],
                ['Brier score', number(view.skill.brier, 3)],
                ['reliability, 0 is best', number(view.skill.reliability, 3)],
                [
                  'resolution',
                  view.skill.one_class === true
                    ? 'unknown: all results are the same'
                    : number(view.skill.resolution, 3),
                ],
                ['uncertainty', number(view.skill.uncertainty, 3)],
                ['skill, 1 is best', number(view.skill.skill)],
                ['newest result', <Time key="newest" at={view.tactical_evidence.newest_at} />],
                ['computed', <Time key="counted" at={view.window.as_of} />],
              ]}
            />
            {view.curves.tactical.n > 0 && <Bins bins={view.curves.tactical.bins} />}
          </Section>
        </div>
      </>
    )}
  </Shown>
);

/** Whether claimed confidence and results agree. */
export const CalibrationPage = () => {
  const { query } = route.value;
  const since = query.get('since') ?? '90d';
  const agent = query.get('agent') ?? '';
  const loaded = useData<Calibration>(
    addressOf('/calibration', { since, agent }).replace('/dashboard', '/api'),
    EVERY_MS,
  );
  const search = (
    <input
      type="search"
      aria-label="Filter by agent: its id, or exactly its name"
      placeholder="Filter by agent: id or name"
      value={agent}
      onChange={({ currentTarget }) => {
        navigate(addressOf('/calibration', { since, agent: currentTarget.value }));
      }}
    />
  );
  const isUnknown = loaded.failure?.kind === 'refused' && loaded.failure.code === 'AGENT_NOT_FOUND';
  return (
    <>
      {agent === '' ? <PageTitle title="Calibration">{search}</PageTitle> : <TitleOf agent={agent}>{search}</TitleOf>}
      <div class="tabs" role="group" aria-label="Time">
        {SPANS.map((span) => (
          <button
            key={span}
            type="button"
            aria-pressed={since === span}
            onClick={() => {
              navigate(addressOf('/calibration', { since: span, agent }));
            }}
          >
            {span.replace('d', ' days')}
          </button>
        ))}
      </div>
      {isUnknown ? <NoSuchAgent name={agent} since={since} /> : <Report loaded={loaded} />}
    </>
  );
};
