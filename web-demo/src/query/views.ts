// A table of the preview as a view: SQL over its part files, its partition columns put back.
//
// Not for talking to the engine (`engine.ts`). The one decision to know: part files are read under names that carry
// their partition's values in hexadecimal, and the view undoes that. So a filter on a partition column leaves out
// files, as it does in the lake, while types are the contract's and any text can be a value: the engine's own reading
// of Hive names guesses types and does not undo percent signs.

import type { Table } from '../protocol';
import { hive } from '../worker/names';

export interface View {
  /** Names that the SQL reads, each for a part file. */
  files: { name: string; blob: Blob }[];
  sql: string;
}

export function identifier(name: string): string {
  return `"${name.replaceAll('"', '""')}"`;
}

export function text(value: string): string {
  return `'${value.replaceAll("'", "''")}'`;
}

/** The view of a table; file names begin with `prefix`. */
export function view(table: Table, prefix: string): View {
  const keys = table.columns.filter(({ partition }) => partition).map(({ name }) => name);
  const files = table.parts.map(({ blob, partition }, index) => ({ name: `${prefix}/${folders(keys, partition)}${index}.parquet`, blob }));
  const nulls = (key: string): boolean => table.parts.some(({ partition }) => hive(partition).some(([name, value]) => name === key && value === null));
  const columns = table.columns.map(({ name, athena, partition }) => {
    const column = identifier(name);
    if (partition) return `${decoded(keys.indexOf(name), typeOf(athena), nulls(name))} AS ${column}`;
    // The files' timestamps are of UTC; Athena's have no zone, and neither have these.
    return athena === 'timestamp' ? `CAST(${column} AS TIMESTAMP) AS ${column}` : column;
  });
  const names = files.map(({ name }) => text(name)).join(', ');
  const from = `read_parquet([${names}]${keys.length > 0 ? ', hive_partitioning = true, file_row_number = true' : ''})`;
  return { files, sql: `CREATE VIEW ${identifier(table.name)} AS ${files.length > 0 ? `SELECT ${columns.join(', ')} FROM ${from}` : none(table)}` };
}

/** `key0=x41/key1=null/`: nothing in it looks like a number, a date or an escape. */
function folders(keys: string[], partition: string): string {
  const values = new Map(hive(partition));
  const hex = (value: string): string => [...new TextEncoder().encode(value)].map((byte) => byte.toString(16).padStart(2, '0')).join('');
  return keys.map((key, index) => {
    const value = values.get(key) ?? null;
    return `key${index}=${value === null ? 'null' : `x${hex(value)}`}/`;
  }).join('');
}

/** A filter that is null for a file's name ends the query: where a key can be null, it has to look like one of the rows. */
function decoded(index: number, type: string, nulls: boolean): string {
  const value = `CAST(decode(unhex(substr(key${index}, 2))) AS ${type})`;
  return nulls ? `CASE WHEN key${index} = 'null' OR file_row_number < 0 THEN NULL ELSE ${value} END` : value;
}

/** A table without part files: its columns, and no row. */
function none({ contract }: Table): string {
  const columns = [...(contract.columns ?? []).filter(({ output }) => output !== false), ...(contract.partition_by ?? [])];
  return `SELECT ${columns.map(({ name, type }) => `CAST(NULL AS ${typeOf(type)}) AS ${identifier(name)}`).join(', ') || '1'} WHERE false`;
}

/** The engine's name of a column's type. */
function typeOf(type = 'string'): string {
  if (type.startsWith('decimal')) return type;
  return { boolean: 'BOOLEAN', bigint: 'BIGINT', double: 'DOUBLE', date: 'DATE', timestamp: 'TIMESTAMP', 'timestamp(6)': 'TIMESTAMP' }[type] ?? 'VARCHAR';
}
