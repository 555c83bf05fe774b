import type { ReliabilityBin } from '../curves.ts';
import { number, percent, words } from '../format.ts';
import { useData } from '../live.ts';
import { Badge, Facts, PageTitle, Section, Time } from '../parts/basics.tsx';
import { ReliabilityDiagram } from '../parts/plots.tsx';
import { Empty, Shown } from '../parts/state.tsx';
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

const Bins = ({ bins }: { bins: readonly ReliabilityBin[] }) => (
  <div class="scroll" tabIndex={0} role="region" aria-label="Claims by confidence, a table">
    <table>
      <thead>
        <tr>
          <th scope="col">Claims from</th>
          <th scope="col" class="numeric">
            How many
          </th>
          <th scope="col" class="numeric">
            Claimed
          </th>
          <th scope="col" class="numeric">
            Came true
          </th>
        </tr>
      </thead>
      <tbody>
        {bins
          .filter(({ n }) => n > 0)
          .map((bin) => (
            <tr key={bin.lower}>
              <th scope="row">
                {number(bin.lower, 1)} to {number(bin.upper, 1)}
              </th>
              <td class="numeric">{bin.n.toLocaleString('en')}</td>
              <td class="numeric">{percent(bin.mean_confidence)}</td>
              <td class="numeric">{percent(bin.accuracy)}</td>
            </tr>
          ))}
      </tbody>
    </table>
  </div>
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
  return (
    <>
      <PageTitle title="Calibration">
        <input
          type="search"
          aria-label="Of one agent, by id or exactly its name"
          placeholder="Of one agent: id or name"
          value={agent}
          onChange={({ currentTarget }) => {
            navigate(addressOf('/calibration', { since, agent: currentTarget.value }));
          }}
        />
      </PageTitle>
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
      <Shown loaded={loaded} everyMs={EVERY_MS}>
        {(view) => (
          <>
            <p class="summary">
              <Badge word={view.calibration_status} /> {view.guidance.confidence_policy}
            </p>
            {[...view.issues, ...view.advisories].length > 0 && (
              <Section title="What is wrong">
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
              <Section title="Reliability: what was claimed against what came true">
                {view.curves.tactical.n === 0 ? (
                  <Empty title="No claim has been held against a result">
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
                    ['came true', percent(view.accuracy)],
                    ['95 % interval of that', intervalText(view.tactical_evidence.interval)],
                    ['claims less results, on average', number(view.mean_gap)],
                    ['claims less results, worst bin', number(view.worst_bin_gap)],
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
                    ['counted', <Time key="counted" at={view.window.as_of} />],
                  ]}
                />
                {view.curves.tactical.n > 0 && <Bins bins={view.curves.tactical.bins} />}
              </Section>
            </div>
          </>
        )}
      </Shown>
    </>
  );
};
