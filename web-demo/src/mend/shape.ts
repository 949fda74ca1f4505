// How a record of a file stands in a file of its own: under the header, inside the array's path, in the encoding.
//
// Not for judging it (`worker/check.ts`). The one decision to know: the spec that a single record is judged under says
// form and delimiter outright, because one record can look like another form than its whole file does.

import { parse, stringify } from 'smol-toml';
import { detectDelimiter, firstRecord, lead, namesOf, type Dialect } from './csv';

/** Bytes of a file that are looked at for its header. */
const HEAD_BYTES = 1 << 20;

interface Input {
  format?: string;
  compression?: string;
  encoding?: string;
  records?: string;
  delimiter?: string;
  quote?: string;
  header?: boolean;
  columns?: string[];
}

/** What a report says of a file. */
export interface Found {
  format?: string;
  /** Bytes of text before the first record. */
  lead?: number;
  delimiter?: string;
}

export interface Shape {
  /** For a single record, and nothing else. */
  spec: string;
  /** Of CSV: to mark a field by its column. */
  csv: (Dialect & { names: string[] }) | null;
  extension: string;
  /** Records as the text of a file that the spec reads. */
  text: (records: string[]) => string;
  /** Such a text as the spec wants its bytes. */
  bytes: (text: string) => Promise<Blob>;
  /** Such a text as a check takes it: not compressed. */
  plain: (text: string) => Blob;
}

/** The shape of a file's records, some of which are `raw`; throws where none can be mended, and says why. */
export async function shapeOf(file: Blob, spec: string, found: Found, raw: string[]): Promise<Shape> {
  const parsed = parse(spec, { integersAsBigInt: true });
  const input = (parsed['input'] ?? {}) as Input;
  if (input.compression === 'zstd') throw new Error('the spec wants zstd, which browsers cannot write: mend the file itself');
  const latin1 = input.encoding === 'latin1' || input.encoding === 'iso-8859-1';
  const pinned = input.format === 'auto' ? undefined : input.format;
  const known = found.format || (pinned ?? (looksLikeJson(raw) || looksLikeJson([await head(file, latin1)]) ? 'ndjson' : 'csv'));
  const plain = (text: string): Blob => (latin1 ? inLatin1(text) : new Blob([text]));
  const bytes = async (text: string): Promise<Blob> =>
    input.compression === 'gzip' ? new Response(plain(text).stream().pipeThrough(new CompressionStream('gzip'))).blob() : plain(text);
  const ofOne = (more: Input): string => stringify({ ...parsed, input: { ...input, compression: 'none', ...more } }, { numbersAsFloat: true });
  const ending = input.compression === 'gzip' ? '.gz' : '';
  if (known === 'csv' || known === 'tsv') {
    const quote = input.quote ?? '"';
    const header = input.header !== false;
    const beginning = header || !input.delimiter || !input.columns ? await head(file, latin1) : '';
    const first = found.lead ? lead(beginning, found.lead) : firstRecord(beginning, quote);
    const delimiter = input.delimiter ?? found.delimiter ?? (pinned === 'tsv' ? '\t' : detectDelimiter(first));
    const names = header || input.columns === undefined ? namesOf(first, { delimiter, quote }, header) : input.columns;
    return {
      spec: ofOne({ format: 'csv', delimiter }),
      csv: { delimiter, quote, names },
      extension: known + ending,
      text: (records) => [...(header ? [first] : []), ...records, ''].join('\n'),
      bytes,
      plain,
    };
  }
  const keys = pointerKeys(input.records);
  const one = (record: string): string => record.trim().replace(/[\r\n]+/g, ' ');
  const wrapped = (records: string[]): string =>
    `${keys.map((key) => `{${JSON.stringify(key)}:`).join('')}[${records.map(one).join(',\n')}]${'}'.repeat(keys.length)}\n`;
  return {
    spec: ofOne({ format: keys.length > 0 || known === 'json' ? 'json' : 'ndjson' }),
    csv: null,
    extension: (keys.length > 0 ? 'json' : 'ndjson') + ending,
    text: keys.length > 0 ? wrapped : (records) => records.map((record) => `${one(record)}\n`).join(''),
    bytes,
    plain,
  };
}

/** The beginning of a file as text, decompressed. */
async function head(file: Blob, latin1: boolean): Promise<string> {
  const magic = new Uint8Array(await file.slice(0, 4).arrayBuffer());
  const beginning = file.slice(0, HEAD_BYTES).stream();
  if (magic[0] === 0x28 && magic[1] === 0xb5) throw new Error('the header stands in zstd, which browsers cannot read: mend the file itself');
  const stream = magic[0] === 0x1f && magic[1] === 0x8b ? beginning.pipeThrough(new DecompressionStream('gzip')) : beginning;
  const reader = stream.getReader();
  const pieces: Uint8Array<ArrayBuffer>[] = [];
  let bytes = 0;
  try {
    while (bytes < HEAD_BYTES) {
      const { done, value } = await reader.read();
      if (done) break;
      pieces.push(value);
      bytes += value.length;
    }
    await reader.cancel();
  } catch {
    // Compressed bytes end where they were cut: what came before is enough.
  }
  const all = new Uint8Array(await new Blob(pieces).arrayBuffer());
  if (!latin1) return new TextDecoder().decode(all);
  let text = '';
  for (const byte of all) text += String.fromCharCode(byte);
  return text;
}

function inLatin1(text: string): Blob {
  const foreign = [...text].find((character) => character > '\u00FF');
  if (foreign) throw new Error(`the file is in latin1, which has no ${foreign}`);
  return new Blob([Uint8Array.from(text, (character) => character.charCodeAt(0))]);
}

/** For a file that failed before it was said what it is. */
function looksLikeJson(texts: string[]): boolean {
  return texts.some((text) => /^\uFEFF?\s*[{[]/.test(text));
}

/** Keys of `data.orders` or `/data/orders`. */
function pointerKeys(path = ''): string[] {
  if (path.startsWith('/')) return path.slice(1).split('/').map((key) => key.replaceAll('~1', '/').replaceAll('~0', '~'));
  return path === '' ? [] : path.split('.');
}
