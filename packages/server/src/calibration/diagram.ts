import { ok, type Result } from '@breakwater/contract';
import { reliabilityDiagram } from './rules/diagram.ts';
import type { Calibration } from './service.ts';

/** The diagram of the tactical curve as SVG, of the fleet or of one agent by id or name. Refusals: those of a look. */
export const calibrationDiagram =
  (calibration: Pick<Calibration, 'look'>) =>
  async (asked: string | undefined): Promise<Result<string>> => {
    const looked = await calibration.look(asked);
    if (!looked.ok) return looked;
    const { assessment, reading } = looked.value;
    const whose = reading.scope === 'fleet' ? 'the fleet' : reading.agent;
    return ok(reliabilityDiagram(assessment.tactical.curve, `Calibration of ${whose}`));
  };
