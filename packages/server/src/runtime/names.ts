/** Characters that show nothing, end a line or turn what stands around them: in a name they would make two that look alike. */
const UNSEEN = /[\p{Cc}\p{Default_Ignorable_Code_Point}\p{Bidi_Control}\p{Zl}\p{Zp}\p{Co}\p{Noncharacter_Code_Point}]/u;

/** Words by which servers, operators and their acts are shown; nobody else is called so, in whatever script. */
const RESERVED: ReadonlySet<string> = new Set(['operator', 'system', 'root']);

/** Letters and digits that are read as a Latin letter, by that letter; marks and compatibility forms fall away before. */
const LOOK_ALIKES: ReadonlyMap<string, string> = new Map(
  Object.entries({
    a: '4@аαɑ⍺ᴀ',
    b: '8',
    e: '3еεℯҽᴇ',
    i: 'іıι',
    m: 'мμᴍ',
    n: 'ɴ',
    o: '0оοσөøօ᧐ᴏ',
    p: 'рρᴘ',
    r: 'гᴦʀ',
    s: '5$ѕꜱ',
    t: '7тτᴛ',
    v: 'νѵ',
    x: 'хχ',
    y: 'уүγυʏ',
  }).flatMap(([letter, signs]) => Array.from(signs, (sign) => [sign, letter] as const)),
);

/** A text as an eye in a hurry reads it: Latin letters, without marks, case, separators and the difference of look-alikes. */
export const skeletonOf = (text: string): string =>
  Array.from(text.normalize('NFKD').toLowerCase(), (sign) => LOOK_ALIKES.get(sign) ?? sign)
    .join('')
    .replace(/[^a-z]/g, '');

/** The first character of a text that no name may hold, as `U+200B`; undefined when there is none. */
export const unseenIn = (text: string): string | undefined => {
  const sign = UNSEEN.exec(text)?.[0].codePointAt(0);
  return sign === undefined ? undefined : `U+${sign.toString(16).toUpperCase().padStart(4, '0')}`;
};

/** The reserved word that a name is, or looks like; also before a colon, as `operator:alice` is written of operators. */
export const reservedIn = (name: string): string | undefined =>
  [name, name.split(/[:：]/, 1)[0] ?? ''].map(skeletonOf).find((word) => RESERVED.has(word));

/** What is wrong with a name that agents are shown by, as "must …"; undefined when nothing is. Give it composed (NFC). */
export const problemOfName = (name: string): string | undefined => {
  const unseen = unseenIn(name);
  if (unseen !== undefined) return `must hold no character that is not seen, and has ${unseen}`;
  const word = reservedIn(name);
  return word === undefined ? undefined : `must not be, or look like, "${word}"`;
};
