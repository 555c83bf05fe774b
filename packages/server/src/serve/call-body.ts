import { ok, refuse, type Result } from '@breakwater/contract';
import { isObject } from '../runtime/index.ts';

/** A REST call of a tool, read from its body. */
interface CallBody {
  readonly name: string;
  readonly args: Readonly<Record<string, unknown>>;
}

const MAX_NAME = 100;
const MAX_ARGUMENTS = 100;

/** Reads `{"name" | "tool_name": string, "arguments"?: object}`; every refusal is BAD_REQUEST and names the field. */
export const readCallBody = (body: unknown): Result<CallBody> => {
  if (!isObject(body)) return refuse('BAD_REQUEST', 'The body must be a JSON object.');
  const name = body['name'] ?? body['tool_name'];
  if (typeof name !== 'string' || name === '') {
    return refuse('BAD_REQUEST', '"name" must be the name of a tool.', { details: { field: 'name' } });
  }
  if (name.length > MAX_NAME) {
    return refuse('BAD_REQUEST', `"name" must have at most ${MAX_NAME} characters.`, { details: { field: 'name' } });
  }
  const args = body['arguments'] ?? {};
  if (!isObject(args)) {
    return refuse('BAD_REQUEST', '"arguments" must be an object.', { details: { field: 'arguments' } });
  }
  if (Object.keys(args).length > MAX_ARGUMENTS) {
    return refuse('BAD_REQUEST', `"arguments" must have at most ${MAX_ARGUMENTS} entries.`, {
      details: { field: 'arguments' },
    });
  }
  return ok({ name, args });
};
