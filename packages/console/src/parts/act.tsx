import { signal } from '@preact/signals';
import type { ComponentChildren } from 'preact';
import { useEffect, useLayoutEffect, useRef, useState } from 'preact/hooks';
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
  /** A whole number from 1. */
  readonly whole?: boolean;
  /** A yes or no: `yes`, or an empty text. */
  readonly box?: boolean;
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

/** Why an act was not done, or not yet. */
interface Problem {
  readonly said: string;
  readonly action?: string | undefined;
}

const open = signal<Act | undefined>(undefined);
/** What the last act came to; shown for a while where the dialog was, and read out. */
const announced = signal('');
const SHOWN_MS = 8_000;

const announce = (text: string): void => {
  announced.value = text;
  setTimeout(() => {
    if (announced.value === text) announced.value = '';
  }, SHOWN_MS);
};

const MAX_REASON = 500;
const REASON: ActField = {
  name: 'reason',
  label: 'Reason',
  hint: 'Recorded in the audit log, with your name.',
  multiline: true,
};

/** Opens the dialog of an act; nothing for who may only look. */
export const ActButton = ({ act, small = false }: { act: Act; small?: boolean }) => {
  const button = useRef<HTMLButtonElement>(null);
  const canAct = session.value?.operator?.can_act === true;
  useLayoutEffect(() => {
    const { current } = button;
    return () => {
      // An act that was done often takes its own button away: the focus must not be lost with it.
      if (current !== null && document.activeElement === current) document.querySelector<HTMLElement>('h1')?.focus();
    };
  }, [canAct]);
  if (!canAct) return null;
  const classes = [small ? 'small' : '', act.tone ?? ''].join(' ').trim();
  return (
    <button
      ref={button}
      type="button"
      class={classes}
      // Each opening is one of its own: the last one's late event must not close it.
      onClick={() => (open.value = { ...act })}
    >
      {act.title}
    </button>
  );
};

/** Said once on a page that has acts, to who may not do them. */
export const ReadOnlyNote = () =>
  session.value?.operator?.can_act === false ? (
    <p class="faint">You are signed in read-only; acts need a credential that may act.</p>
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
  const label = (
    <label for={id}>
      {field.label}
      <span class="faint">{field.optional === true ? ' (optional)' : ' (required)'}</span>
    </label>
  );
  if (field.box === true) {
    return (
      <div class="field box">
        <input
          id={id}
          type="checkbox"
          checked={value !== ''}
          onChange={({ currentTarget }) => {
            set(currentTarget.checked ? 'yes' : '');
          }}
        />
        <label for={id}>{field.label}</label>
      </div>
    );
  }
  return (
    <div class="field">
      {label}
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
      ) : field.whole === true ? (
        <input {...common} type="number" min={1} step={1} inputMode="numeric" />
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

/** What is asked, the reason before what few need. */
const fieldsOf = (act: Act): readonly ActField[] => [
  ...(act.fields ?? []).filter(({ optional }) => optional !== true),
  ...(act.asksReason === false ? [] : [REASON]),
  ...(act.fields ?? []).filter(({ optional }) => optional === true),
];

const isWhole = (value: string): boolean => /^[1-9]\d*$/.test(value);

/** The first field that cannot be sent as it is, and what is wrong with it. */
const problemOf = (
  fields: readonly ActField[],
  values: Readonly<Record<string, string>>,
): { readonly name: string; readonly said: string } | undefined => {
  for (const { name, label, optional, whole } of fields) {
    const value = (values[name] ?? '').trim();
    if (value === '' && optional !== true) return { name, said: `Please enter: ${label.toLowerCase()}.` };
    if (value !== '' && whole === true && !isWhole(value)) {
      return { name, said: `${label} must be a whole number from 1.` };
    }
  }
  return undefined;
};

const Dialog = ({ act }: { act: Act }) => {
  const fields = fieldsOf(act);
  const dialog = useRef<HTMLDialogElement>(null);
  const [values, setValues] = useState<Readonly<Record<string, string>>>(() =>
    Object.fromEntries(fields.map(({ name, initial, choices }) => [name, initial ?? choices?.[0]?.value ?? ''])),
  );
  const [busy, setBusy] = useState(false);
  const [problem, setProblem] = useState<Problem>();
  /** Esc was pressed once although something is typed. */
  const [warned, setWarned] = useState(false);
  useEffect(() => {
    const before = document.activeElement;
    const { current } = dialog;
    current?.showModal();
    current?.querySelector<HTMLElement>('textarea, input, select')?.focus();
    return () => {
      // Nothing outside takes the focus while a modal dialog is open.
      current?.close();
      // The button may have gone while the dialog was open.
      const stays = before instanceof HTMLElement && before.isConnected && before !== document.body;
      (stays ? before : document.querySelector<HTMLElement>('h1'))?.focus();
    };
  }, []);
  const close = () => {
    if (open.value === act) open.value = undefined;
  };
  const submit = async (event: Event): Promise<void> => {
    event.preventDefault();
    if (busy) return;
    const wrong = problemOf(fields, values);
    if (wrong !== undefined) {
      setProblem(wrong);
      dialog.current?.querySelector<HTMLElement>(`#act-${wrong.name}`)?.focus();
      return;
    }
    setBusy(true);
    const given = Object.fromEntries(Object.entries(values).map(([name, value]) => [name, value.trim()]));
    const answer = await callTool<{ readonly message?: string }>(act.tool, act.args(given));
    setBusy(false);
    if (answer.ok) {
      announce(`${act.title}: ${answer.value.message ?? 'done.'}`);
      refresh();
      close();
      return;
    }
    const { failure } = answer;
    if (failure.kind === 'refused') setProblem({ said: failure.message, action: failure.action });
    else if (failure.kind === 'offline') {
      setProblem({
        said: 'The server did not answer: it may or may not have done it.',
        action: 'Look at the page when the server is back, and do it again if need be.',
      });
    } else setProblem({ said: failure.message.replaceAll('_', ' ') });
  };
  const typed = fields.some(({ name, initial, choices }) => choices === undefined && values[name] !== (initial ?? ''));
  return (
    <dialog
      ref={dialog}
      onClose={close}
      onCancel={(event) => {
        if (!typed || warned) return;
        event.preventDefault();
        setWarned(true);
      }}
      aria-labelledby="act-title"
    >
      <form
        onSubmit={(event) => void submit(event)}
        onKeyDown={(event) => {
          if (event.key === 'Enter' && (event.ctrlKey || event.metaKey)) event.currentTarget.requestSubmit();
        }}
        noValidate
      >
        <h2 id="act-title">{act.title}</h2>
        <p>{act.says}</p>
        {fields.map((field) => (
          <Field
            key={field.name}
            field={field}
            value={values[field.name] ?? ''}
            set={(value) => {
              setValues({ ...values, [field.name]: value });
              setWarned(false);
            }}
          />
        ))}
        <div aria-live="assertive">
          {problem !== undefined && (
            <p class="result bad">
              <strong>Not done.</strong> {problem.said}
              {problem.action !== undefined && <span class="way-out"> {problem.action}</span>}
            </p>
          )}
          {warned && <p class="result bad">Press Esc again to discard what you have typed.</p>}
        </div>
        <div class="buttons">
          <button type="button" onClick={close}>
            Cancel
          </button>
          <button type="submit" class={act.tone ?? 'primary'} disabled={busy} title="Ctrl+Enter">
            {busy ? 'Working …' : act.verb}
          </button>
        </div>
      </form>
    </dialog>
  );
};

/** Where the dialog of the act that is being done stands, and what the last one came to. */
export const ActPlace = () => (
  <>
    {open.value !== undefined && <Dialog act={open.value} />}
    <div class={announced.value === '' ? 'visually-hidden' : 'toast'} role="status">
      {announced.value}
    </div>
  </>
);
