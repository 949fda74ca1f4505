// The columns of a table: how Parquet stores them, and what to declare in Athena or Glue.

import { grid, h } from '../dom';
import type { Table } from '../protocol';
import { number } from '../words';

export function schema(table: Table): HTMLElement {
  const inFile = table.parts[0]?.footer;
  const rows = table.columns.map((column, index) => [
    column.partition ? 'p' : number(index + 1),
    h('code', {}, column.name),
    column.athena,
    column.partition ? h('em', {}, column.parquet) : h('code', {}, column.parquet),
    h('code', {}, column.from),
  ]);
  return h(
    'div',
    {},
    table.contract.rows ? h('p', { class: 'soft' }, 'One row per element of ', h('code', {}, table.contract.rows), '.') : null,
    grid(`Columns of ${table.name}`, ['>#', 'column', 'Athena type', 'Parquet type', 'from'], rows),
    inFile
      ? h(
          'details',
          {},
          h('summary', {}, 'Metadata in the footer'),
          grid('Metadata', ['key', 'value'], [
            ['created by', inFile.createdBy],
            ...inFile.metadata.map(([key, value]) => [key, h('code', {}, value)]),
          ]),
        )
      : null,
  );
}
