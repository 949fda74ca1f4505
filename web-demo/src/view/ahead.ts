// What loading a file into the lake would do, before it is done.
//
// Not for what came of it (`upload`). The one decision to know: all of it follows from the preview, the contracts that the
// lake has, and its newest commits; a replaced load that is older than these is said to be looked for no further.

import { h } from '../dom';
import type { Entry, Result } from '../entry';
import { lake } from '../lake';
import type { Contract, Table, TableContract } from '../protocol';
import { count, number, size, when } from '../words';

/** Commits that are looked through for an earlier load of the file. */
const COMMITS = 50;
/** Part files below this are small: each costs a query a request. */
const SMALL_BYTES = 1 << 20;

/** One line for each thing that loading would do. */
export function ahead(entry: Entry, { preview }: Result, live: TableContract[]): HTMLElement {
  const filtered = preview.report.tables.reduce((sum, table) => sum + table.filtered, 0);
  const { rejected } = preview.report;
  const lines = preview.tables.flatMap((table) => ofTable(table, live.find((contract) => contract.table === table.name)));
  if (rejected > 0) lines.push(`${count(rejected, 'record goes', 'records go')} into quarantine`);
  if (filtered > 0) lines.push(`${count(filtered, 'row is', 'rows are')} filtered out`);
  const list = h('ul', { class: 'sentences soft', 'aria-label': 'What loading does' }, ...lines.map((line) => h('li', {}, line)));
  void lake.commits(COMMITS).then(
    (commits) => {
      const before = commits.find(({ name, current }) => current && name === entry.name);
      const said = before
        ? `replaces ${count(before.rows, 'row', 'rows')} of ${when(before.committed)} (generation ${number(before.generation)} of ${before.name})`
        : `none of the newest ${number(COMMITS)} loads is of ${entry.name}: nothing is replaced`;
      list.prepend(h('li', {}, said));
    },
    () => undefined,
  );
  return list;
}

function ofTable({ name, contract, rows, parts }: Table, live: TableContract | undefined): string[] {
  const bytes = parts.reduce((sum, part) => sum + part.bytes, 0);
  const small = parts.length > 1 && bytes / parts.length < SMALL_BYTES;
  const files = `${count(rows, 'row', 'rows')} in ${count(parts.length, 'file', 'files')}, ${size(bytes)}${small ? ', which is small for each' : ''}`;
  if (!live) return [`${name} is a new table: ${files}`];
  const known = new Set(((JSON.parse(live.text) as Contract).columns ?? []).map((column) => column.name));
  const added = (contract.columns ?? []).filter(({ name: column, output }) => output !== false && !known.has(column)).map((column) => `${column.name} (${column.type})`);
  return [`${name}: ${files}`, ...(added.length > 0 ? [`${name} gets ${added.length === 1 ? 'the column' : 'the columns'} ${added.join(', ')}`] : [])];
}
