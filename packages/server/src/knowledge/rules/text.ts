/** Characters of which more are cut off, and the answer says so. */
export const SUMMARY_LIMIT = 4000;
export const DETAILS_LIMIT = 65_536;
export const NOTES_LIMIT = 4000;

/** What was cut off a text, in characters. */
export interface Cut {
  readonly from: number;
  readonly to: number;
}

/** The beginning of a text. Never ends in the middle of a character. */
export const cutText = (text: string, most: number): string => {
  if (text.length <= most) return text;
  const last = text.charCodeAt(most - 1);
  return text.slice(0, last >= 0xd800 && last <= 0xdbff ? most - 1 : most);
};

/**
 * A text as PostgreSQL can hold it, at most so long, and what was cut off it. Composed (Unicode NFC), so that the same word is
 * found whichever way its accents were typed.
 */
export const bounded = (given: string, most: number): { readonly text: string; readonly cut: Cut | undefined } => {
  const whole = given.replaceAll('\0', '\ufffd').toWellFormed().normalize('NFC');
  const text = cutText(whole, most);
  return { text, cut: text === whole ? undefined : { from: whole.length, to: text.length } };
};

/** Code, where markup stands because somebody writes about it. */
const CODE = /```[\s\S]*?```|`[^`\n]*`/g;

/** The tags in which models write calls of tools; with the prefix that some of them use. */
const CALL_MARKUP =
  /<\/?(?:[a-z]{1,12}:)?(?:invoke|parameter|function_calls?|function_results?|tool_calls?|tool_use|tool_result)(?=[\s>/=]|$)|<\|(?:tool|python_tag|im_start|im_end)|\[\/?TOOL_CALLS?\]/i;

/**
 * Markup of a tool call inside a text, or undefined. It means that the call was put together wrong, and that what should
 * have been another argument stands in this one; storing it would spoil the finding. Markup in `code` is left alone.
 */
export const leakedMarkup = (text: string): string | undefined => CALL_MARKUP.exec(text.replace(CODE, ' '))?.[0];

const SECRET =
  /\b(?:bearer\s+\S+|(?:api[_-]?key|password|passwd|secret|token)\s*[=:]\s*\S+)|[\w.+-]+@[\w-]+\.[\w.-]+|\b[A-Za-z0-9_+=-]{32,}|[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}/gi;

const QUERY_SHOWN = 200;

/** A query as the audit trail keeps it: its first 200 characters, without what looks like a secret, an address or an id. */
export const redactedQuery = (query: string): string =>
  cutText(query, 4 * QUERY_SHOWN)
    .replace(SECRET, '[…]')
    .slice(0, QUERY_SHOWN)
    .toWellFormed();
