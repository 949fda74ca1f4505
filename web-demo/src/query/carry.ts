// The worker that carries rows between files and the SQL engine: part files become Arrow streams, results Parquet.
//
// Not for the engine itself, which has a worker of its own. The one decision to know: it is not the worker that runs
// transforms, so that a table is read while a file is being made, and ends with the engine. Columns of the path are texts
// here; the engine makes of them what the contract says.

import initInspect, { Batches, ResultFile } from '../../dist/made/inspect.js';
import inspectUrl from '../../dist/made/inspect_bg.wasm?url';
import { reading } from '../worker/parts';
import { bytesOf, sameText, Stream, typeOf, type Buffers } from './layouts';

/** A part file, and a text for each column of its path. */
export interface Source {
  blob: Blob;
  keys: (string | null)[];
}

export type Errand =
  /** Rows of a table are to come, in place of those of the table before. */
  | { does: 'open'; sources: Source[] }
  /** The next of them: `Load`, null at the end. */
  | { does: 'next' }
  /** A result file is to be made. */
  | { does: 'begin'; names: string[]; layouts: string[] }
  /** Rows of it. */
  | { does: 'rows'; columns: Buffers[] }
  /** The file: a blob. */
  | { does: 'end' };

/** Some rows of a table. */
export interface Load {
  stream: Uint8Array<ArrayBuffer>;
  rows: number;
  /** What they take in the engine, about. */
  bytes: number;
}

/** Rows of a batch. */
const BATCH_ROWS = 16_384;
/** Rows and bytes after which a stream is full. */
const STREAM_ROWS = 131_072;
const STREAM_BYTES = 16 << 20;
/** Part files up to this are read at once. */
const NEAR_BYTES = 64 << 20;
/** Rows of a row group of a result. */
const GROUP_ROWS = 122_880;

const ready = initInspect({ module_or_path: inspectUrl });
let sources: Source[] = [];
let open: { batches: Batches; keys: (string | null)[] } | null = null;
let result: { file: ResultFile; pieces: Blob[]; rows: number } | null = null;

self.onmessage = async ({ data }: MessageEvent<{ id: number; errand: Errand }>): Promise<void> => {
  const { id, errand } = data;
  try {
    await ready;
    const value = run(errand);
    self.postMessage({ id, value }, { transfer: value && !(value instanceof Blob) ? [value.stream.buffer] : [] });
  } catch (thrown) {
    self.postMessage({ id, message: thrown instanceof Error ? thrown.message : String(thrown) });
  }
};

function run(errand: Errand): Load | Blob | null {
  switch (errand.does) {
    case 'open':
      close();
      sources = errand.sources;
      return null;
    case 'next':
      return load();
    case 'begin':
      result?.file.free();
      result = { file: new ResultFile(errand.names, errand.layouts), pieces: [], rows: 0 };
      return null;
    case 'rows':
      put(errand.columns);
      return null;
    case 'end':
      return finished();
  }
}

function close(): void {
  open?.batches.free();
  open = null;
}

/** Reads a file's bytes: of one that is not large all at once, since each question to the browser costs about as much. */
function near(blob: Blob): (offset: number, length: number) => Uint8Array {
  if (blob.size > NEAR_BYTES) return reading(blob);
  const bytes = reading(blob)(0, blob.size);
  return (offset, length) => bytes.subarray(offset, offset + length);
}

/** Batches of one part file after the other, until the stream is full. */
function load(): Load | null {
  let stream: Stream | null = null;
  let [rows, bytes] = [0, 0];
  while (rows < STREAM_ROWS && bytes < STREAM_BYTES) {
    if (!open) {
      const source = sources.shift();
      if (!source) break;
      open = { batches: new Batches(near(source.blob), source.blob.size), keys: source.keys };
    }
    const { batches, keys } = open;
    const count = batches.next(BATCH_ROWS);
    if (count === 0) {
      close();
      continue;
    }
    const layouts = batches.layouts();
    const columns = [...layouts.map((_, index) => columnOf(batches, index, count)), ...keys.map((key) => sameText(count, key))];
    stream ??= new Stream(columns.map((_, index) => ({ name: `c${index}`, type: typeOf(layouts[index] ?? 'text') })));
    stream.add(columns);
    rows += count;
    bytes += columns.reduce((sum, column) => sum + bytesOf(column), 0);
  }
  return stream && { stream: stream.bytes(), rows, bytes };
}

function columnOf(batches: Batches, index: number, rows: number): Buffers {
  const [nulls, valid, values, ends] = (batches.column(index) ?? []) as [number, Uint8Array, Uint8Array, Int32Array];
  return { rows, nulls, valid, values, ends };
}

function put(columns: Buffers[]): void {
  if (!result) throw new Error('no result file was begun');
  for (const [index, { rows, valid, values, ends }] of columns.entries()) result.file.add(index, rows, valid, values, ends);
  result.rows += columns[0]?.rows ?? 0;
  if (result.rows >= GROUP_ROWS) group();
}

function group(): void {
  if (!result || result.rows === 0) return;
  result.pieces.push(new Blob([result.file.write() as Uint8Array<ArrayBuffer>]));
  result.rows = 0;
}

function finished(): Blob {
  if (!result) throw new Error('no result file was begun');
  group();
  const { file, pieces } = result;
  pieces.push(new Blob([file.finish() as Uint8Array<ArrayBuffer>]));
  file.free();
  result = null;
  return new Blob(pieces, { type: 'application/vnd.apache.parquet' });
}
