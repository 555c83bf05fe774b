import { CredentialsError } from './errors.ts';
import { isObject, textOf } from './json.ts';

/** What an agent keeps to be itself after a restart. It holds its secrets. */
export interface Credentials {
  /** Who it is; it never changes. */
  readonly agentId: string;
  /** The session secret. */
  readonly clientSessionId: string;
  /** Proves the agent beside its uuid, for an hour, when the secret no longer does. */
  readonly continuityToken?: string | undefined;
  readonly name?: string | undefined;
}

/** Where an anchor is kept. The one in a file is `anchorFile` of `@breakwater/sdk/file-credentials`. */
export interface CredentialStore {
  /** undefined: there is none. Rejects with `AnchorError` when there is one that cannot be used, or there could be none. */
  load(): Promise<Credentials | undefined>;
  /** Replaces it, wholly or not at all. */
  save(anchor: Credentials): Promise<void>;
}

/** An anchor that ends with the process. */
export const memoryCredentials = (kept?: Credentials): CredentialStore => {
  let anchor = kept;
  return {
    load: () => Promise.resolve(anchor),
    save: (next) => {
      anchor = next;
      return Promise.resolve();
    },
  };
};

/** The anchor as text: the keys are those of the wire. */
export const writeCredentials = ({ agentId, clientSessionId, continuityToken, name }: Credentials): string =>
  `${JSON.stringify(
    {
      version: 1,
      name,
      agent_uuid: agentId,
      client_session_id: clientSessionId,
      continuity_token: continuityToken,
    },
    null,
    2,
  )}\n`;

/** Reads an anchor; `where` is for the error. What cannot be read is an error and never "none": that would make a new agent. */
export const readCredentials = (text: string, where: string): Credentials => {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (error) {
    throw new CredentialsError(`${where} is no JSON; restore it, or remove it to onboard as a new agent.`, {
      cause: error,
    });
  }
  const fields = isObject(value) ? value : {};
  const agentId = textOf(fields['agent_uuid']);
  const clientSessionId = textOf(fields['client_session_id']);
  if (agentId === null || clientSessionId === null) {
    throw new CredentialsError(`${where} is no anchor: agent_uuid or client_session_id is missing.`);
  }
  return {
    agentId,
    clientSessionId,
    continuityToken: textOf(fields['continuity_token']) ?? undefined,
    name: textOf(fields['name']) ?? undefined,
  };
};
