import { describe, expect, it } from 'vitest';
import { verifies } from '../../testing/verifies.ts';
import {
  boundaryFailure,
  measurementPayload,
  requestPayload,
  shadowDivergence,
  unavailablePayload,
  type BoundaryErrorClass,
} from './payloads.ts';

const call = { endpoint: '/v1/x', method: 'POST' };
const order = (payload: object) => Object.keys(payload).join(' ');

describe('a boundary failure', () => {
  it('says what was called and why it failed, always in the same order', () => {
    verifies('W3-6.07');
    const full = boundaryFailure(
      { ...call, errorClass: 'non_200', statusCode: 502, elapsedMs: 12.34567 },
      { round: 1 },
    );
    expect(full).toEqual({
      endpoint: '/v1/x',
      method: 'POST',
      error_class: 'non_200',
      status_code: 502,
      elapsed_ms: 12.346,
      round: 1,
    });
    expect(order(full)).toBe('endpoint method error_class status_code elapsed_ms round');
    expect(boundaryFailure({ ...call, errorClass: 'timeout' })).toEqual({ ...call, error_class: 'timeout' });
  });

  it.each([
    ['no endpoint', { endpoint: undefined }],
    ['a blank endpoint', { endpoint: ' ' }],
    ['an endpoint that is no text', { endpoint: 7 }],
    ['no method', { method: undefined }],
    ['a blank method', { method: '' }],
    ['no class', { errorClass: undefined }],
    ['a class outside of the five', { errorClass: 'refused' }],
    ['an answer without its status', { errorClass: 'non_200' }],
    ['a status that is no number', { errorClass: 'non_200', statusCode: true }],
    ['a duration that is no number', { elapsedMs: '3' }],
    ['a duration below 0', { elapsedMs: -1 }],
    ['a duration without end', { elapsedMs: Number.POSITIVE_INFINITY }],
  ])('cannot be made with %s', (_, wrong) => {
    verifies('W3-6.07');
    const given = { ...call, errorClass: 'other', ...wrong } as unknown as Parameters<typeof boundaryFailure>[0];
    expect(() => boundaryFailure(given)).toThrow(/must|needs/);
  });

  it.each<BoundaryErrorClass>(['timeout', 'connect_error', 'non_200', 'decode_error', 'other'])(
    'may be %s',
    (errorClass) => {
      verifies('W3-6.07');
      expect(boundaryFailure({ ...call, errorClass, statusCode: 500 })).toHaveProperty('error_class', errorClass);
    },
  );
});

describe('a measurement', () => {
  it('says what was called, how long it took and how much was sent', () => {
    verifies('W3-6.05');
    const payload = measurementPayload({ ...call, statusCode: 200, elapsedMs: 0.4, payloadBytes: 99 }, { tool: 't' });
    expect(payload).toEqual({ ...call, status_code: 200, elapsed_ms: 0.4, payload_bytes: 99, tool: 't' });
    expect(order(payload)).toBe('endpoint method status_code elapsed_ms payload_bytes tool');
    expect(measurementPayload({ ...call, elapsedMs: 0 })).toEqual({ ...call, elapsed_ms: 0 });
  });

  it.each([
    ['a blank endpoint', { endpoint: '' }],
    ['no method', { method: undefined }],
    ['no duration', { elapsedMs: undefined }],
    ['a duration that is no number', { elapsedMs: Number.NaN }],
    ['a size that is no whole number', { payloadBytes: 1.5 }],
    ['a size below 0', { payloadBytes: -1 }],
  ])('cannot be made with %s', (_, wrong) => {
    const given = { ...call, elapsedMs: 1, ...wrong } as unknown as Parameters<typeof measurementPayload>[0];
    expect(() => measurementPayload(given)).toThrow('must');
  });

  it('of a request names its route, tool and crossings, and the code of its refusal', () => {
    const facts = { tool: 'sync_state', status: 200, ms: 1.5, crossings: 2 };
    const common = { method: 'POST', elapsed_ms: 1.5, tool: 'sync_state', crossings: 2 };
    expect(requestPayload({ ...facts, transport: 'mcp', outcome: 'ok' })).toEqual({
      endpoint: '/mcp/',
      status_code: 200,
      ...common,
    });
    expect(requestPayload({ ...facts, transport: 'rest', outcome: 'OVERLOADED', status: 503 })).toEqual({
      endpoint: '/v1/tools/call',
      status_code: 503,
      ...common,
      error_code: 'OVERLOADED',
    });
  });

  it('of a 503 names the reason when the contract gave one', () => {
    const facts = { ...call, elapsedMs: 1 };
    expect(unavailablePayload({ ...facts, reason: 'not_ready' })).toMatchObject({
      status_code: 503,
      reason: 'not_ready',
    });
    expect(unavailablePayload({ ...facts, reason: undefined })).not.toHaveProperty('reason');
  });
});

describe('a divergence of a shadow', () => {
  const difference = { table: 'agents', agentId: 'a', kind: 'column_mismatch', columns: ['status'] } as const;

  it('names table, agent, kind and columns', () => {
    expect(shadowDivergence(difference)).toEqual({
      table_name: 'agents',
      agent_id: 'a',
      kind: 'column_mismatch',
      divergent_columns: ['status'],
    });
    expect(shadowDivergence({ ...difference, kind: 'shadow_missing', columns: [] })).toHaveProperty(
      'divergent_columns',
      [],
    );
  });

  it.each([
    ['a mismatch without columns', { columns: [] }],
    ['a missing row with columns', { kind: 'canonical_missing' }],
    ['a kind that is none', { kind: 'other' }],
    ['no agent', { agentId: '' }],
    ['no table', { table: '' }],
    ['a blank column', { columns: [''] }],
  ])('cannot be made with %s', (_, wrong) => {
    const given = { ...difference, ...wrong } as Parameters<typeof shadowDivergence>[0];
    expect(() => shadowDivergence(given)).toThrow('must');
  });
});
