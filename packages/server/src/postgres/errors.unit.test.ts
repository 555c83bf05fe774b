import { connect } from 'node:net';
import { describe, expect, it } from 'vitest';
import { classifyError, sqlState } from './errors.ts';

const withCode = (code: string) => Object.assign(new Error('x'), { code });

describe('classifyError', () => {
  it.each([
    ['08006', 'connection'],
    ['57P01', 'connection'],
    ['57P03', 'connection'],
    ['53300', 'connection'],
    ['53100', 'connection'],
    ['25006', 'connection'],
    ['40003', 'connection'],
    ['40001', 'conflict'],
    ['40P01', 'conflict'],
    ['55P03', 'conflict'],
    ['57014', 'conflict'],
    ['22P02', 'data'],
    ['23505', 'data'],
    ['54000', 'data'],
    ['42P01', 'other'],
    ['XX000', 'other'],
    ['25P02', 'other'],
  ])('reads SQLSTATE %s as %s', (code, kind) => {
    expect(classifyError(withCode(code))).toBe(kind);
    expect(sqlState(withCode(code))).toBe(code);
  });

  it('knows what the network says', async () => {
    const refused = await new Promise<Error>((resolve) => connect(1, '127.0.0.1').on('error', resolve));
    expect(classifyError(refused)).toBe('connection');
    expect(sqlState(refused)).toBeUndefined();
    // Two addresses were tried, as for "localhost".
    expect(classifyError(Object.assign(new AggregateError([refused, refused]), { code: 'ECONNREFUSED' }))).toBe(
      'connection',
    );
    for (const message of [
      'Connection terminated unexpectedly',
      'Connection terminated due to connection timeout',
      'Client has encountered a connection error and is not queryable',
      'timeout expired',
    ]) {
      expect(classifyError(new Error(message))).toBe('connection');
    }
  });

  it('takes everything else for a bug', () => {
    for (const error of [new TypeError('x is not a function'), undefined, null, 'text', 7, {}]) {
      expect(classifyError(error)).toBe('other');
    }
  });
});
