import type { Refusal } from '@breakwater/contract';
import type { FastifyRequest } from 'fastify';
import { principalOf } from '../dispatch/index.ts';
import { evidenceOf } from './evidence.ts';
import type { ServeOptions } from './ports.ts';

/** Refuses what an address asks for too often; undefined: it may pass. An operator always may. */
export type Admission = (request: FastifyRequest, meter: 'reads' | 'sessions') => Promise<Refusal | undefined>;

/** Holds requests that are no call of a tool against the limits of their address. */
export const createAdmission =
  ({ limits, operatorOf, attestor }: Pick<ServeOptions, 'limits' | 'operatorOf' | 'attestor'>): Admission =>
  async (request, meter) => {
    const { operatorSecret, peer } = evidenceOf(request, attestor);
    // While PostgreSQL is away nobody can be asked, and nobody is above the limits.
    const operator = operatorSecret === undefined ? undefined : await operatorOf(operatorSecret).catch(() => undefined);
    return operator === undefined ? limits.take(meter, principalOf(peer)) : undefined;
  };
