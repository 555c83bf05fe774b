import { refuse, type FieldProblem, type Result } from '@breakwater/contract';

/** A refusal that names every argument that breaks its rule. */
export const refuseFields = (problems: readonly FieldProblem[]): Result<never> => {
  const missing = problems.filter(({ type }) => type === 'missing').map(({ field }) => field);
  const onlyMissing = missing.length === problems.length;
  const message = onlyMissing
    ? `Required and missing: ${missing.join(', ')}.`
    : `Invalid arguments: ${problems.map(({ field, message: rule }) => `${field} ${rule}`).join('; ')}.`;
  return refuse(onlyMissing ? 'MISSING_PARAMETER' : 'PARAMETER_ERROR', message, {
    details: {
      error_type: onlyMissing ? 'missing_parameter' : 'parameter_error',
      tool_name: 'knowledge',
      parameter: problems[0]?.field,
      ...(missing.length > 0 && { missing }),
      errors: problems,
    },
  });
};

export const missing = (field: string, why = 'is required'): FieldProblem => ({ field, message: why, type: 'missing' });

export const broken = (field: string, rule: string): FieldProblem => ({ field, message: rule, type: 'rule' });
