// Two previews of one file, compared: schema, counts and values, table by table.
//
// Not for how a difference is shown (`view/compare.ts`). Decisions to know: everything comes from the part files;
// rows are paired by position where both sides wrote as many rows into each partition, else rows are counted by their
// content; the worker looks at its messages between two columns or row groups.

import { Hashes, Side } from '../../dist/made/inspect.js';
import type { Cells, Part, Preview, ShownColumn, Table } from '../protocol';
import { Cancelled, nextTask } from './make';
import { hive } from './names';
import { reading, rowsOf } from './parts';

export type Pair<T> = [T, T];

export interface Comparison {
  /** True where every part file of both sides has the same digest. */
  sameBytes: boolean;
  tables: TableComparison[];
}

export interface TableComparison {
  table: string;
  rows: Pair<number>;
  filtered: Pair<number>;
  files: Pair<number>;
  bytes: Pair<number>;
  /** How values were compared; `none`: only one side has rows, or the bytes are the same. */
  aligned: 'position' | 'content' | 'none';
  columns: ColumnComparison[];
  /** True where the columns of both sides stand in another order. */
  reordered: boolean;
  /** By content: rows of one side that the other has not. */
  only: Pair<OnlyRows> | null;
}

export interface OnlyRows {
  rows: number;
  /** The first of them, under the columns that both sides have. */
  examples: { row: number; values: Record<string, string | null> }[];
}

export interface ColumnComparison {
  column: string;
  /** Null on a side that does not have it. */
  types: Pair<string | null>;
  nulls: Pair<number | null>;
  /** Rows whose value differs; null where rows cannot be paired. */
  changed: number | null;
  /** By content: whether the values differ, in whatever order. */
  differs: boolean;
  examples: { row: number; a: string | null; b: string | null }[];
}

/** More rows than this on a side are not compared by content: each costs 16 bytes of the worker's memory. */
const CONTENT_ROWS = 10_000_000;

interface Watch {
  cancelled: () => boolean;
  progress: (done: number, total: number) => void;
}

export async function compareSides(a: Preview, b: Preview, watch: Watch): Promise<Comparison> {
  const outputs = ({ receipt }: Preview): string => JSON.stringify(receipt.outputs);
  const sameBytes = outputs(a) === outputs(b);
  const names = [...new Set([...a.tables, ...b.tables].map(({ name }) => name))];
  const tables: TableComparison[] = [];
  for (const [index, name] of names.entries()) {
    const find = ({ tables }: Preview): Table | undefined => tables.find((table) => table.name === name);
    const share = (done: number): Promise<void> => breathe(watch, index + done, names.length);
    tables.push(await compareTable(name, [find(a), find(b)], [a, b], share));
  }
  return { sameBytes, tables };
}

async function breathe(watch: Watch, done: number, total: number): Promise<void> {
  watch.progress(done, total);
  await nextTask();
  if (watch.cancelled()) throw new Cancelled();
}

type Share = (done: number) => Promise<void>;

async function compareTable(table: string, sides: Pair<Table | undefined>, previews: Pair<Preview>, share: Share): Promise<TableComparison> {
  const both = <T>(of: (side: Table | undefined, preview: Preview) => T): Pair<T> => [of(sides[0], previews[0]), of(sides[1], previews[1])];
  const parts = both((side) => side?.parts ?? []);
  const [a, b] = parts;
  const found: TableComparison = {
    table,
    rows: both((side) => side?.rows ?? 0),
    filtered: both((_, { report }) => report.tables.find((made) => made.table === table)?.filtered ?? 0),
    files: both((side) => side?.parts.length ?? 0),
    bytes: both((side) => (side?.parts ?? []).reduce((sum, part) => sum + part.bytes, 0)),
    aligned: 'none',
    columns: schemas(both((side) => (side ? columnsOf(side) : [])), parts),
    reordered: false,
    only: null,
  };
  const common = found.columns.filter(({ types }) => types[0] !== null && types[1] !== null);
  const order = both((side) => columnsOf(side).map(({ name }) => name).filter((name) => common.some(({ column }) => column === name)));
  found.reordered = order[0].join('\n') !== order[1].join('\n');
  const digests = (list: Part[]): string => list.map(({ partition, digest }) => `${partition} ${digest}`).join('\n');
  if (a.length === 0 || b.length === 0 || digests(a) === digests(b)) return found;
  const paired = pairUp(a, b);
  if (paired) await byPosition(found, common, paired, share);
  else await byContent(found, common, sides as Pair<Table>, share);
  return found;
}

/** Columns of a table; without part files they are those of the contract. */
function columnsOf(table: Table | undefined): Pick<ShownColumn, 'name' | 'athena' | 'partition'>[] {
  if (!table) return [];
  const known = new Set(table.columns.map(({ name }) => name));
  const others = (table.contract.columns ?? []).filter(({ name, type, output }) => type !== undefined && output !== false && !known.has(name));
  return table.parts.length > 0
    ? table.columns
    : [...others.map(({ name, type }) => ({ name, athena: type === 'json' ? 'string' : (type ?? ''), partition: false })), ...table.columns];
}

/** Columns of both sides: those of the first in their order, then what the second has more. */
function schemas(columns: Pair<ReturnType<typeof columnsOf>>, parts: Pair<Part[]>): ColumnComparison[] {
  const names = [...new Set(columns.flat().map(({ name }) => name))];
  return names.map((column) => {
    const of = <T>(read: (side: 0 | 1) => T): Pair<T> => [read(0), read(1)];
    const types = of((side) => {
      const found = columns[side].find(({ name }) => name === column);
      return found ? `${found.athena}${found.partition ? ' in the path' : ''}` : null;
    });
    return { column, types, nulls: of((side) => nullsOf(parts[side], column)), changed: null, differs: false, examples: [] };
  });
}

function nullsOf(parts: Part[], column: string): number | null {
  let sum: number | null = 0;
  for (const { footer, partition, rows } of parts) {
    const inFile = footer.columns.find(({ name }) => name === column);
    const inPath = hive(partition).find(([name]) => name === column);
    const nulls: number | null = inFile ? inFile.nulls : inPath?.[1] === null ? rows : 0;
    sum = sum === null || nulls === null ? null : sum + nulls;
  }
  return sum;
}

/** The part files of both sides in one order of partitions, if both wrote as many rows into each. */
function pairUp(a: Part[], b: Part[]): Pair<Part[]> | null {
  const group = (parts: Part[]): Map<string, Part[]> => {
    const groups = new Map<string, Part[]>();
    for (const part of parts) groups.set(part.partition, [...(groups.get(part.partition) ?? []), part]);
    return groups;
  };
  const [left, right] = [group(a), group(b)];
  const rows = (parts: Part[] | undefined): number => (parts ?? []).reduce((sum, part) => sum + part.rows, 0);
  if (left.size !== right.size || [...left].some(([key, parts]) => rows(parts) !== rows(right.get(key)))) return null;
  return [[...left.values()].flat(), [...left.keys()].flatMap((key) => right.get(key) ?? [])];
}

async function byPosition(found: TableComparison, common: ColumnComparison[], parts: Pair<Part[]>, share: Share): Promise<void> {
  found.aligned = 'position';
  const [a, b] = [sideOf(parts[0]), sideOf(parts[1])];
  try {
    for (const [index, column] of common.entries()) {
      await share(index / common.length);
      const { changed, examples } = a.column(b, column.column) as Pick<ColumnComparison, 'examples'> & { changed: number };
      Object.assign(column, { changed, examples, differs: changed > 0 });
    }
  } finally {
    a.free();
    b.free();
  }
}

async function byContent(found: TableComparison, common: ColumnComparison[], tables: Pair<Table>, share: Share): Promise<void> {
  if (Math.max(...found.rows) > CONTENT_ROWS) return;
  found.aligned = 'content';
  const names = common.map(({ column }) => column);
  const texts = common.filter(({ types }) => types[0] !== types[1]).map(({ column }) => column);
  const hashes: Hashes[] = [];
  try {
    for (const [index, { parts }] of tables.entries()) {
      const side = sideOf(parts);
      const own = new Hashes(names, texts);
      hashes.push(own);
      try {
        for (let group = 0, all = side.groups(); group < all; group++) {
          await share((index + group / all) / 2);
          own.add(side, group);
        }
      } finally {
        side.free();
      }
    }
    const [a, b] = hashes as [Hashes, Hashes];
    const same = a.same(b);
    common.forEach((column, index) => (column.differs = same[index] !== 1));
    const only = a.only(b) as Pair<{ rows: number; examples: number[] }>;
    found.only = [examplesOf(tables[0], names, only[0]), examplesOf(tables[1], names, only[1])];
  } finally {
    hashes.forEach((one) => one.free());
  }
}

function examplesOf(table: Table, names: string[], { rows, examples }: { rows: number; examples: number[] }): OnlyRows {
  const shown = examples.map((row) => {
    const cells: Cells[] = rowsOf(table, row, 1).columns;
    const value = (name: string): string | null => cells[table.columns.findIndex((column) => column.name === name)]?.[0] ?? null;
    return { row, values: Object.fromEntries(names.map((name) => [name, value(name)])) };
  });
  return { rows, examples: shown };
}

function sideOf(parts: Part[]): Side {
  const side = new Side();
  for (const { blob, partition } of parts) {
    const path = hive(partition);
    side.add(reading(blob), blob.size, path.map(([name]) => name), path.map(([, value]) => value));
  }
  return side;
}
