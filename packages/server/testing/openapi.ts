import { AjvJsonSchemaValidator } from '@modelcontextprotocol/server/validators/ajv';
import { expect } from 'vitest';
import type { Json } from './rest.ts';

/** A schema, a parameter or an answer of the document; tests look into it where they know its shape. */
interface Described {
  readonly description: string;
  readonly content?: Readonly<Record<string, { readonly schema?: Json }>>;
}

/** One operation of the document. */
export interface Operation {
  readonly method: string;
  readonly path: string;
  readonly operationId: string;
  readonly summary: string;
  readonly security?: readonly Json[];
  readonly parameters: readonly { readonly name: string; readonly in: string; readonly required: boolean }[];
  readonly requestBody?: Described;
  readonly responses: Readonly<Record<string, Described>>;
}

/** The document of a server, to hold its answers against. */
export interface ApiDocument {
  readonly json: Json;
  readonly operations: readonly Operation[];
  /** Whether a schema of the document says yes to a value: undefined, or what is wrong. Throws when it is no schema. */
  problemWith(schema: Json, value: unknown): string | undefined;
  /** Fails the test unless the document describes this answer of an operation: its status, its media type, its content. */
  expectDescribed(operation: Operation, answer: Response): Promise<void>;
}

/** Reads `GET /openapi.json`. */
export const readDocument = async (url: string): Promise<ApiDocument> => {
  const response = await fetch(`${url}/openapi.json`);
  expect(response.status, 'it needs no token').toBe(200);
  expect(response.headers.get('content-type')).toContain('application/json');
  const json = (await response.json()) as Json;
  const paths = json['paths'] as Readonly<Record<string, Readonly<Record<string, Omit<Operation, 'method' | 'path'>>>>>;
  const operations = Object.entries(paths).flatMap(([path, methods]) =>
    Object.entries(methods).map(([method, operation]) => ({ method: method.toUpperCase(), path, ...operation })),
  );
  const validator = new AjvJsonSchemaValidator();
  const { components } = json;
  const problemWith: ApiDocument['problemWith'] = (schema, value) =>
    validator.getValidator<unknown>({ ...schema, components } as Json)(value).errorMessage;
  return {
    json,
    operations,
    problemWith,
    async expectDescribed({ method, path, responses }, answer) {
      const what = `${method} ${path} ${answer.status}`;
      const text = await answer.text();
      const described = responses[answer.status];
      expect(described, `${what} ${text}`).toBeDefined();
      if (described?.content === undefined) {
        expect(text, what).toBe('');
        return;
      }
      const [type = ''] = (answer.headers.get('content-type') ?? '').split(';');
      expect(Object.keys(described.content), what).toContain(type);
      const { schema } = described.content[type] ?? {};
      if (type !== 'application/json' || schema === undefined) return;
      expect(problemWith(schema, JSON.parse(text)), `${what} ${text}`).toBeUndefined();
    },
  };
};
