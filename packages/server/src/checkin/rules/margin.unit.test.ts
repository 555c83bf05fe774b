import { describe, expect, it } from 'vitest';
import { marginOf } from './margin.ts';

const at = (changes: Partial<Parameters<typeof marginOf>[0]>) =>
  marginOf({ risk: 0.1, V: 0, voidThreshold: 0.15, voidActive: false, checkIns: 9, ...changes });

describe('the margin', () => {
  it('is comfortable far from both edges and tight within the band of the nearest', () => {
    expect(at({ V: 0.1 })).toMatchObject({ word: 'comfortable', edge: 'void' });
    expect(at({ V: -0.12 })).toMatchObject({ word: 'tight', edge: 'void' });
    expect(at({ risk: 0.6 })).toMatchObject({ word: 'tight', edge: 'risk' });
    expect(at({ risk: 0.54, V: 0, voidThreshold: 0.3 })).toMatchObject({ word: 'comfortable', edge: 'risk' });
  });

  it('warns past an edge and is critical far past it, settled or not', () => {
    expect(at({ risk: 0.75 })).toMatchObject({ word: 'warning', edge: 'risk' });
    expect(at({ risk: 0.81 })).toMatchObject({ word: 'critical', edge: 'risk' });
    expect(at({ V: 0.2, voidActive: true, checkIns: 1 })).toMatchObject({
      word: 'critical',
      edge: 'void',
      distance: -1,
    });
  });

  it('settles over the first two check-ins', () => {
    expect(at({ checkIns: 2 })).toMatchObject({ word: 'settling', edge: null });
    expect(at({ checkIns: 3 }).word).toBe('comfortable');
  });
});
