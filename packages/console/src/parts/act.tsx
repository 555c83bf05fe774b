import { signal } from '@preact/signals';
import type { ComponentChildren } from 'preact';
import { useEffect, useRef, useState } from 'preact/hooks';
import { callTool, session } from '../api.ts';
import { refresh } from '../live.ts';

/** A further question that an act asks. */
export interface ActField {
  readonly name: string;
  readonly label: string;
  readonly hint?: string;
  /** Choices; without them it is a text. */
  readonly choices?: readonly { readonly value: string; readonly label: string }[];
  readonly multiline?: boolean;
  readonly optional?: boolean;
  readonly initial?: string;
  /** A control of its own instead of a text or a list. */
  readonly control?: (value: string, set: (value: string) => void, id: string) => ComponentChildren;
}

/** Something an operator does: one call of a tool, with a reason (BW-console.02). */
export interface Act {
  readonly title: string;
  /** What it will do, before it is done. */
  readonly says: string;
  readonly verb: string;
  readonly tone?: 'danger';
  readonly tool: string;
  readonly args: (given: Readonly<Record<string, string>>) => Readonly<Record<string, unknown>>;
  readonly fields?: readonly ActField[];
  /** False: the act itself is a text, such as a note. */
  readonly asksReason?: boolean;
}

type Outcome =
  | { readonly ok: true; readonly said: string }
  | { readonly ok: false; readonly said: string; readonly action: string | undefined };

const open = signal<Act | undefined>(undefined);
/** What the last act came to, for those who cannot see the page. */
const announced = signal('');

const MAX_REASON = 500;
const REASON: ActField = {
  name: 'reason',
  label: 'Reason',
  hint: 'It stands in the audit trail, with your name.',
  multiline: true,
};

/** Opens the dialog of an act; nothing for who may only look. */
export const ActButton = ({ act, small = false }: { act: Act; small?: boolean }) => {
  if (session.value?.operator?.can_act !== true) return null;
  const classes = [small ? 'small' : '', act.tone ?? ''].join(' ').trim();
  return (
    <button type="button" class={classes} onClick={() => (open.value = act)}>
      {act.title}
    </button>
  );
};

/** Said once on a page that has acts, to who may not do them. */
export const ReadOnlyNote = () =>
  session.value?.operator?.can_act === false ? (
    <p class="faint">You are signed in to look only; acts need a credential that may act.</p>
  ) : null;

const Field = ({ field, value, set }: { field: ActField; value: string; set: (value: string) => void }) => {
  const id = `act-${field.name}`;
  const common = {
    id,
    value,
    required: field.optional !== true,
    'aria-describedby': field.hint === undefined ? undefined : `${id}-hint`,
    onInput: ({ currentTarget }: { currentTarget: { value: string } }) => {
      set(currentTarget.value);
    },
  };
  return (
    <div class="field">
      <label for={id}>
        {field.label}
        {field.optional === true && <span class="faint"> (optional)</span>}
      </label>
      {field.control !== undefined ? (
        field.control(value, set, id)
      ) : field.choices !== undefined ? (
        <select {...common}>
          {field.choices.map((choice) => (
            <option key={choice.value} value={choice.value}>
              {choice.label}
            </option>
          ))}
        </select>
      ) : field.multiline === true ? (
        <textarea {...common} rows={3} maxLength={field.name === 'reason' ? MAX_REASON : 4000} />
      ) : (
        <input {...common} type="text" maxLength={200} />
      )}
      {field.hint !== undefined && (
        <small id={`${id}-hint`} class="faint">
          {field.hint}
        </small>
      )}
    </div>
  );
};

const fieldsOf = (act: Act): readonly ActField[] => [
  ...(act.fields ?? []),
  ...(act.asksReason === false ? [] : [REASON]),
];

const Dialog = ({ act }: { act: Act }) => {
  const fields = fieldsOf(act);
  const dialog = useRef<HTMLDialogElement>(null);
  const [values, setValues] = useState<Readonly<Record<string, string>>>(() =>
    Object.fromEntries(fields.map(({ name, initial, choices }) => [name, initial ?? choices?.[0]?.value ?? ''])),
  );
  const [busy, setBusy] = useState(false);
  const [outcome, setOutcome] = useState<Outcome>();
  useEffect(() => {
    const before = document.activeElement;
    const { current } = dialog;
    current?.showModal();
    current?.querySelector<HTMLElement>('textarea, input, select')?.focus();
    return () => {
      // Nothing outside takes the focus while a modal dialog is open.
      current?.close();
      // An act that was done often takes its own button away.
      const stays = before instanceof HTMLElement && before.isConnected && before !== document.body;
      (stays ? before : document.querySelector<HTMLElement>('h1'))?.focus();
    };
  }, []);
  const submit = async (event: Event): Promise<void> => {
    event.preventDefault();
    const missing = fields.find(({ name, optional }) => optional !== true && (values[name] ?? '').trim() === '');
    if (missing !== undefined) {
      setOutcome({ ok: false, said: `${missing.label} is missing.`, action: undefined });
      dialog.current?.querySelector<HTMLElement>(`#act-${missing.name}`)?.focus();
      return;
    }
    setBusy(true);
    const given = Object.fromEntries(Object.entries(values).map(([name, value]) => [name, value.trim()]));
    const answer = await callTool<{ readonly message?: string }>(act.tool, act.args(given));
    setBusy(false);
    if (answer.ok) {
      const said = answer.value.message ?? 'Done.';
      setOutcome({ ok: true, said });
      announced.value = `${act.title}: ${said}`;
      refresh();
      return;
    }
    const { failure } = answer;
    if (failure.kind === 'refused') setOutcome({ ok: false, said: failure.message, action: failure.action });
    else if (failure.kind === 'offline') {
      setOutcome({
        ok: false,
        said: 'The server did not answer: it may or may not have done it.',
        action: 'Look at the page when the server is back, and do it again if need be.',
      });
    } else setOutcome({ ok: false, said: failure.message.replaceAll('_', ' '), action: undefined });
  };
  const close = () => {
    if (open.value === act) open.value = undefined;
  };
  return (
    <dialog ref={dialog} onClose={close} aria-labelledby="act-title">
      <form onSubmit={(event) => void submit(event)} noValidate>
        <h2 id="act-title">{act.title}</h2>
        <p>{act.says}</p>
        {outcome?.ok !== true &&
          fields.map((field) => (
            <Field
              key={field.name}
              field={field}
              value={values[field.name] ?? ''}
              set={(value) => {
                setValues({ ...values, [field.name]: value });
              }}
            />
          ))}
        <div aria-live="assertive">
          {outcome !== undefined && (
            <p class={`result ${outcome.ok ? 'good' : 'bad'}`}>
              <strong>{outcome.ok ? 'Done.' : 'Not done.'}</strong> {outcome.said}
              {!outcome.ok && outcome.action !== undefined && <span class="way-out"> {outcome.action}</span>}
            </p>
          )}
        </div>
        <div class="buttons">
          <button type="button" onClick={close}>
            {outcome?.ok === true ? 'Close' : 'Cancel'}
          </button>
          {outcome?.ok !== true && (
            <button type="submit" class={act.tone ?? 'primary'} disabled={busy}>
              {busy ? 'Working …' : act.verb}
            </button>
          )}
        </div>
      </form>
    </dialog>
  );
};

/** Where the dialog of the act that is being done stands. */
export const ActPlace = () => (
  <>
    {open.value !== undefined && <Dialog act={open.value} />}
    <div class="visually-hidden" aria-live="polite">
      {announced.value}
    </div>
  </>
);
