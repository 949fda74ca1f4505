// A table of the preview in the engine: its own copy of the rows, and a view under the table's name.
//
// Not for when they are made (`shelf.ts`). The one decision to know: columns of the path come as texts, and the engine
// makes of them the type that the contract says while it takes them: any text can be a value, and nothing is guessed.

import type { Table } from '../protocol';
import { hive } from '../worker/names';
import type { Source } from './carry';

/** Where the engine keeps what the views show. */
export const KEPT = 'lakegate';

export function identifier(name: string): string {
  return `"${name.replaceAll('"', '""')}"`;
}

export function text(value: string): string {
  return `'${value.replaceAll("'", "''")}'`;
}

/** What tells a table's rows from others: two of one key have the same. */
export function keyOf({ contractText, columns, parts }: Table): string {
  return JSON.stringify([contractText, columns.map(({ name }) => name), parts.map(({ digest, partition }) => [digest, partition])]);
}

/** Makes room for a table's rows. */
export function room(table: Table, id: string): string {
  const columns = columnsOf(table).map(({ name, type }) => `${identifier(name)} ${type}`);
  // Of a table that has no column at all, there is no row either.
  return `CREATE TABLE ${KEPT}.${id} (${columns.join(', ') || 'nothing BOOLEAN'})`;
}

export function view(table: Table, id: string): string {
  return `CREATE VIEW ${identifier(table.name)} AS FROM ${KEPT}.${id}`;
}

/** The part files, each with its texts of the path in the order of the table's columns. */
export function sources({ columns, parts }: Table): Source[] {
  const keys = columns.filter(({ partition }) => partition).map(({ name }) => name);
  return parts.map(({ blob, partition }) => {
    const values = new Map(hive(partition));
    return { blob, keys: keys.map((key) => values.get(key) ?? null) };
  });
}

function columnsOf({ columns, contract, parts }: Table): { name: string; type: string }[] {
  if (parts.length > 0) return columns.map(({ name, athena }) => ({ name, type: typeOf(athena) }));
  const agreed = [...(contract.columns ?? []).filter(({ output }) => output !== false), ...(contract.partition_by ?? [])];
  return agreed.map(({ name, type }) => ({ name, type: typeOf(type) }));
}

/** The engine's name of a column's type. Timestamps of the files are of UTC; Athena's have no zone, and neither have these. */
function typeOf(type = 'string'): string {
  if (type.startsWith('decimal')) return type;
  const names: Record<string, string> = { boolean: 'BOOLEAN', int: 'INTEGER', bigint: 'BIGINT', float: 'FLOAT', double: 'DOUBLE', date: 'DATE', binary: 'BLOB' };
  return type.startsWith('timestamp') ? 'TIMESTAMP' : (names[type] ?? 'VARCHAR');
}
