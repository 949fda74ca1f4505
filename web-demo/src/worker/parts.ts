// Part files read back: footers, and rows of a table over all of its part files.
//
// The one decision to know: nothing shown is remembered from making it; the reader asks the blob for the bytes it
// needs, synchronously, which a worker may.

import { Part as Reader } from '../../dist/made/inspect.js';
import type { Cells, Footer, Table } from '../protocol';
import { hive } from './names';

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
export function rowsOf(table: Table, offset: number, count: number): Cells[] {
  const columns: Cells[] = table.columns.map(() => []);
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
    skip = 0;
    missing -= wanted;
  }
  return columns;
}

/** How the reader gets at a blob's bytes. */
export function reading(blob: Blob): (offset: number, length: number) => Uint8Array {
  const files = new FileReaderSync();
  return (offset, length) => new Uint8Array(files.readAsArrayBuffer(blob.slice(offset, offset + length)));
}

function open(blob: Blob): Reader {
  return new Reader(reading(blob), blob.size);
}
