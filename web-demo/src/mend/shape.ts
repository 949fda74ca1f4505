// How a record of a file stands in a file of its own: under the header, inside the array's path, in the encoding.
//
// Not for judging it (`worker/check.ts`). The one decision to know: the spec that a single record is judged under says
// form and delimiter outright, because one record can look like another form than its whole file does.

import { parse, stringify } from 'smol-toml';
import { compressionOf } from '../worker/magic';
import { detectDelimiter, firstRecord, lead, namesOf, type Dialect } from './csv';

/** Bytes of a file that are looked at for its header. */
const HEAD_BYTES = 1 << 20;

interface Input {
  format?: string;
  compression?: string;
  encoding?: string;
  records?: string;
  columns_at?: string;
  delimiter?: string;
  quote?: string;
  footer_lines?: number;
  footer_at?: string;
  header?: boolean;
  columns?: string[];
}

/** What a report says of a file. */
export interface Found {
  format?: string;
  /** Bytes of text before the first record. */
  lead?: number;
  delimiter?: string;
  /** Where it is not UTF-8. */
  encoding?: string;
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
  if (['zstd', 'bzip2', 'zip'].includes(input.compression ?? '')) {
    throw new Error(`the spec wants ${input.compression}, which the page does not write: mend the file itself`);
  }
  const encoding = new TextDecoder(found.encoding ?? input.encoding ?? 'utf-8').encoding;
  const pinned = input.format === 'auto' ? undefined : input.format;
  const known = found.format || (pinned ?? (looksLikeJson(raw) || looksLikeJson([await head(file, encoding)]) ? 'ndjson' : 'csv'));
  const plain = (text: string): Blob => new Blob([input.encoding === undefined ? text : encoded(text, encoding)]);
  const bytes = async (text: string): Promise<Blob> =>
    input.compression === 'gzip' ? new Response(plain(text).stream().pipeThrough(new CompressionStream('gzip'))).blob() : plain(text);
  const { footer_lines: _lines, footer_at: _at, ...before } = input;
  const ofOne = (more: Input): string => stringify({ ...parsed, input: { ...before, compression: 'none', ...more } }, { numbersAsFloat: true });
  const ending = input.compression === 'gzip' ? '.gz' : '';
  if (known === 'csv' || known === 'tsv') {
    const quote = input.quote === 'none' ? '' : (input.quote ?? '"');
    const header = input.header !== false;
    const beginning = header || !input.delimiter || !input.columns ? await head(file, encoding) : '';
    const first = found.lead ? lead(beginning, found.lead, encoding) : firstRecord(beginning, quote);
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
  const way = pointerKeys(input.records);
  const members = way.at(-1) === '*';
  const keys = members ? way.slice(0, -1) : way;
  const [first, last] = members ? ['{', '}'] : ['[', ']'];
  if (input.columns_at !== undefined && raw.some((record) => record.trimStart().startsWith('['))) {
    throw new Error('the names of the values stand elsewhere in the document: mend the file itself');
  }
  const one = (record: string): string => record.trim().replace(/[\r\n]+/g, ' ');
  const wrapped = (records: string[]): string =>
    `${keys.map((key) => `{${JSON.stringify(key)}:`).join('')}${first}${records.map(one).join(',\n')}${last}${'}'.repeat(keys.length)}\n`;
  return {
    spec: ofOne({ format: way.length > 0 || known === 'json' ? 'json' : 'ndjson' }),
    csv: null,
    extension: (way.length > 0 ? 'json' : 'ndjson') + ending,
    text: way.length > 0 ? wrapped : (records) => records.map((record) => `${one(record)}\n`).join(''),
    bytes,
    plain,
  };
}

/** The beginning of a file as text, decompressed. */
async function head(file: Blob, encoding: string): Promise<string> {
  const compression = compressionOf(new Uint8Array(await file.slice(0, 4).arrayBuffer()));
  const beginning = file.slice(0, HEAD_BYTES).stream();
  if (compression !== '' && compression !== 'gzip') {
    throw new Error(`the header stands in ${compression}, which the page does not read: mend the file itself`);
  }
  const stream = compression === 'gzip' ? beginning.pipeThrough(new DecompressionStream('gzip')) : beginning;
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
  return new TextDecoder(encoding).decode(all);
}

/** A text as a file of that encoding. */
function encoded(text: string, encoding: string): Uint8Array<ArrayBuffer> {
  if (encoding === 'utf-8') return new TextEncoder().encode(text);
  if (encoding.startsWith('utf-16')) {
    const bytes = new DataView(new ArrayBuffer(2 * text.length));
    for (let at = 0; at < text.length; at++) bytes.setUint16(2 * at, text.charCodeAt(at), encoding === 'utf-16le');
    return new Uint8Array(bytes.buffer);
  }
  const all = new TextDecoder(encoding).decode(Uint8Array.from({ length: 256 }, (_, byte) => byte));
  const foreign = [...text].find((character) => !all.includes(character));
  if (foreign) throw new Error(`the file is in ${encoding}, which has no ${foreign}`);
  return Uint8Array.from(text, (character) => all.indexOf(character));
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
