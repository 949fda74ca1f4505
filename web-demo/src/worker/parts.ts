// Part files read back: footers, and rows of a table over all of its part files.
//
// The one decision to know: nothing shown is remembered from making it; the reader asks the blob for the bytes it
// needs, synchronously, which a worker may.

import { Histogram, Part as Reader } from '../../dist/made/inspect.js';
import type { Cells, Footer, Part, Picture, Rows, Table } from '../protocol';
import { hive } from './names';

/** Rows that a picture of a column looks at: a second or so, whatever the table's length. */
const PICTURE_ROWS = 500_000;
/** Bytes of a file that are read at once, and so many pieces that are kept: reading a blob takes a millisecond, however little. */
const PIECE_BYTES = 1 << 19;
const PIECES_KEPT = 16;

/** What the footer of a part file says. */
export function footerOf(blob: Blob): Footer {
  const reader = open(blob);
  try {
    return reader.footer() as Footer;
  } finally {
    reader.free();
  }
}

/** Rows of a table, part after part; the columns of the path are put back. */
export function rowsOf(table: Table, offset: number, count: number): Rows {
  const columns: Cells[] = table.columns.map(() => []);
  const records: number[] = [];
  let skip = offset;
  let missing = count;
  for (const part of table.parts) {
    if (missing === 0) break;
    if (skip >= part.rows) {
      skip -= part.rows;
      continue;
    }
    const wanted = Math.min(missing, part.rows - skip);
    const reader = open(part.blob);
    let read: Cells[];
    try {
      read = reader.rows(skip, wanted) as Cells[];
    } finally {
      reader.free();
    }
    const keys = new Map(hive(part.partition));
    table.columns.forEach(({ name, partition }, index) => {
      const cells = partition ? Array<string | null>(wanted).fill(keys.get(name) ?? null) : (read[index] ?? []);
      for (const cell of cells) columns[index]?.push(cell);
    });
    records.push(...recordsOf(part, skip, wanted));
    skip = 0;
    missing -= wanted;
  }
  return { columns, records: table.parts.some(({ trace }) => trace) ? records : null };
}

/** Record numbers of some rows of a part file: its trace holds a difference for each row. */
function recordsOf({ trace }: Part, offset: number, count: number): number[] {
  if (!trace) return [];
  const bytes = new Uint8Array(new FileReaderSync().readAsArrayBuffer(trace));
  const records: number[] = [];
  let record = 0;
  let at = 0;
  for (let row = 0; row < offset + count && at < bytes.length; row++) {
    let scale = 1;
    for (;;) {
      const byte = bytes[at++] ?? 0;
      record += (byte & 0x7f) * scale;
      if (byte < 0x80) break;
      scale *= 0x80;
    }
    if (row >= offset) records.push(record);
  }
  return records;
}

/** How the values of a column of the files are spread, over the first rows of a table. */
export function pictureOf(table: Table, column: number): Picture | null {
  const histogram = new Histogram(column, PICTURE_ROWS);
  let last: Reader | null = null;
  try {
    for (const part of table.parts) {
      last?.free();
      last = open(part.blob);
      if (!histogram.add(last)) break;
    }
    return last ? (histogram.picture(last) as Picture | null) : null;
  } finally {
    last?.free();
    histogram.free();
  }
}

/**
 * How the reader gets at a blob's bytes: it asks for a few at a time, and for each column of a row anew, so pieces are read that
 * hold many, and the last of them kept.
 */
export function reading(blob: Blob): (offset: number, length: number) => Uint8Array {
  const files = new FileReaderSync();
  const kept = new Map<number, Uint8Array>();
  const piece = (at: number): Uint8Array => {
    const bytes = kept.get(at) ?? new Uint8Array(files.readAsArrayBuffer(blob.slice(at * PIECE_BYTES, (at + 1) * PIECE_BYTES)));
    // The one that was used last is the last to go.
    kept.delete(at);
    kept.set(at, bytes);
    for (const oldest of kept.keys()) if (kept.size > PIECES_KEPT) kept.delete(oldest);
    return bytes;
  };
  return (offset, length) => {
    const end = Math.min(offset + length, blob.size);
    const first = Math.floor(offset / PIECE_BYTES);
    if (end <= (first + 1) * PIECE_BYTES) return piece(first).subarray(offset - first * PIECE_BYTES, end - first * PIECE_BYTES);
    return new Uint8Array(files.readAsArrayBuffer(blob.slice(offset, end)));
  };
}

/** Who reads a table on reads the same file next. */
let latest: { blob: Blob; read: ReturnType<typeof reading> } | null = null;

function open(blob: Blob): Reader {
  if (latest?.blob !== blob) latest = { blob, read: reading(blob) };
  return new Reader(latest.read, blob.size);
}
