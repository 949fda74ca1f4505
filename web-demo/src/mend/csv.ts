// Where the fields of a CSV record stand: to mark one, and to know a file's header.
//
// Not for reading values: the transform does. The one decision to know: delimiters are found, and columns named, as the
// transform does it (`input/dialect.rs`, `decode/csv/names.rs`), where its report does not say so.

export interface Dialect {
  delimiter: string;
  /** The empty text where quotes are text. */
  quote: string;
}

/** The text of the first record: its quotes may hold line ends. Blank lines before it are none. */
export function firstRecord(text: string, quote = '"'): string {
  const start = /^(?:\uFEFF)?[\r\n]*/.exec(text)?.[0].length ?? 0;
  let quoted = false;
  for (let at = start; at < text.length; at++) {
    const character = text[at];
    if (character === quote) quoted = !quoted;
    else if (!quoted && (character === '\n' || character === '\r')) return text.slice(start, at);
  }
  return text.slice(start);
}

/** Of `,` `;` tab and `|` the one that stands in the header most often outside quotes. */
export function detectDelimiter(header: string): string {
  const counts = new Map([...',;\t|'].map((candidate) => [candidate, 0]));
  let quoted = false;
  for (const character of header) {
    if (character === '"') quoted = !quoted;
    const count = counts.get(character);
    if (!quoted && count !== undefined) counts.set(character, count + 1);
  }
  const most = Math.max(...counts.values());
  return [...counts].find(([, count]) => count === most)?.[0] ?? ',';
}

/** Where each field begins and ends, with its quotes. */
export function fields(record: string, { delimiter, quote }: Dialect): { start: number; end: number }[] {
  const found: { start: number; end: number }[] = [];
  let start = 0;
  let quoted = false;
  // Blanks may stand before the quote.
  const begins = (at: number): boolean => record.slice(start, at).trim() === '';
  for (let at = 0; at <= record.length; at++) {
    if (at < record.length && record[at] === quote && (quoted || begins(at))) quoted = !quoted;
    // A doubled quote closes and opens again.
    else if (at < record.length && record[at] === quote && record[at - 1] === quote && record.slice(start).trimStart().startsWith(quote)) quoted = true;
    else if (at === record.length || (!quoted && at >= start && record.startsWith(delimiter, at))) {
      found.push({ start, end: at });
      start = at + delimiter.length;
    }
  }
  return found;
}

/** What a text's first bytes were, as the file is encoded, without their last line end. */
export function lead(text: string, bytes: number, encoding: string): string {
  const utf8 = (): string => new TextDecoder().decode(new TextEncoder().encode(text).subarray(0, bytes));
  const beginning = encoding === 'utf-8' ? utf8() : text.slice(0, encoding.startsWith('utf-16') ? bytes / 2 : bytes);
  return beginning.replace(/[\r\n]+$/, '');
}

/** Names of the columns by what stands before the records: a header in its last line, or a comment that names the fields of a log. */
export function namesOf(before: string, dialect: Dialect, named: boolean): string[] {
  const fields = /^#fields[: \t](.*)$/im.exec(before)?.[1];
  if (fields !== undefined) return fields.split(/[ \t]+/).filter((name) => name !== '');
  const header = before.split(/\r\n|\n|\r/).findLast((line) => line !== '') ?? '';
  // Comments and titles may stand before it; a name with line ends in it has quotes on both lines.
  const whole = dialect.quote === '' || header.split(dialect.quote).length % 2 === 1;
  return columnNames(whole ? header : before, dialect, named);
}

/** Names of a header's columns: a nameless one is numbered, a repeated one counted. */
function columnNames(header: string, dialect: Dialect, named: boolean): string[] {
  const names: string[] = [];
  for (const [index, { start, end }] of fields(header, dialect).entries()) {
    const { quote } = dialect;
    const raw = header.slice(start, end).trim();
    const text = (quote !== '' && raw.startsWith(quote) ? raw.slice(1, raw.endsWith(quote) ? -1 : undefined).replaceAll(quote + quote, quote) : raw).trim();
    const plain = named && text !== '' ? text : `column_${index + 1}`;
    let name = plain;
    for (let count = 2; names.includes(name); count++) name = `${plain}_${count}`;
    names.push(name);
  }
  return names;
}
