// What two sides differ in: counts, rejected records, and for each table its columns and rows.
//
// The one decision to know: the words are those of `lakegate diff`, and what is the same is only counted, so that the
// differences are what is seen.

import { grid, h } from '../dom';
import type { Preview } from '../protocol';
import type { ColumnComparison, Comparison, OnlyRows, Pair, TableComparison } from '../worker/compare';
import { count, number, size } from '../words';

export function difference(found: Comparison, previews: Pair<Preview>, names: Pair<string>): HTMLElement {
  const [a, b] = previews;
  return h(
    'section',
    { 'aria-label': 'What differs' },
    h('p', { class: 'sentence', id: 'verdict', role: 'status' }, verdict(found, previews)),
    ...previews.map(({ report }, side) =>
      report.comparable ? null : h('p', { class: 'warn' }, `${side === 0 ? 'A' : 'B'} is not comparable: its spec puts where or when the input came from into the output.`),
    ),
    h('p', { class: 'soft' }, h('strong', {}, 'A'), ` ${names[0]}`, h('br'), h('strong', {}, 'B'), ` ${names[1]}`),
    counts(found, [a, b]),
    ...rejects(a.report.rejects, b.report.rejects),
    ...(found.sameBytes ? [] : found.tables.map(table)),
  );
}

function verdict({ sameBytes, tables }: Comparison, [a, b]: Pair<Preview>): HTMLElement {
  if (sameBytes) return h('strong', { class: 'good' }, 'Nothing differs: the same bytes.');
  const counted = ['records', 'accepted', 'rejected'] as const;
  if (tables.every(isSame) && counted.every((key) => a.report[key] === b.report[key])) {
    const why = 'the footers name another component, spec or contract';
    return h('span', {}, h('strong', { class: 'good' }, 'Nothing changes'), `: the same rows and values. Only the bytes differ: ${why}.`);
  }
  const changed = tables.filter((one) => !isSame(one)).map((one) => `${one.table}: ${whatChanges(one)}`);
  return h('strong', { class: 'warn' }, changed.length > 0 ? `${changed.join('; ')}.` : 'Other records are rejected; tables and values stay the same.');
}

function whatChanges({ columns, rows, only, reordered }: TableComparison): string {
  const said = (only ?? []).map((side, index) => (side.rows > 0 ? `${count(side.rows, 'row', 'rows')} only in ${index === 0 ? 'A' : 'B'}` : ''));
  // By content a missing row makes every column look changed: there, columns count where their type changes.
  const changed = columns.filter((column) => (only ? column.types[0] !== column.types[1] : !isSameColumn(column))).length;
  if (changed > 0) said.unshift(count(changed, 'column changes', 'columns change'));
  if (!only && rows[0] !== rows[1]) said.push(`${number(rows[0])} → ${count(rows[1], 'row', 'rows')}`);
  const found = said.filter((part) => part !== '');
  return found.length > 0 || !reordered ? found.join(', ') : 'columns in another order';
}

function isSameColumn({ types, nulls, changed, differs }: ColumnComparison): boolean {
  return types[0] === types[1] && nulls[0] === nulls[1] && !changed && !differs;
}

/** Columns to tell of: where all rows of one side are among the other's, no value changed, some rows are not there. */
function changedColumns({ columns, only }: TableComparison): ColumnComparison[] {
  const contained = (only ?? []).some(({ rows }) => rows === 0);
  return columns.filter((column) => (contained ? column.types[0] !== column.types[1] : !isSameColumn(column)));
}

function isSame({ rows, columns, only, reordered }: TableComparison): boolean {
  return rows[0] === rows[1] && columns.every(isSameColumn) && !reordered && (only ?? []).every((side) => side.rows === 0);
}

/** A row whose sides differ stands out. */
function pair(what: string, [a, b]: Pair<number>, show = number): (string | HTMLElement)[] {
  const cell = (value: number): string | HTMLElement => (a === b ? show(value) : h('strong', { class: 'warn' }, show(value)));
  return [what, cell(a), cell(b), a === b ? '' : 'differs'];
}

function counts({ tables }: Comparison, [a, b]: Pair<Preview>): HTMLElement {
  const of = (read: (preview: Preview) => number): Pair<number> => [read(a), read(b)];
  const several = tables.length > 1;
  const rows = [
    pair('records', of(({ report }) => report.records)),
    pair('accepted', of(({ report }) => report.accepted)),
    pair('rejected', of(({ report }) => report.rejected)),
    ...tables.flatMap(({ table: name, rows: made, filtered, files, bytes }) => {
      const suffix = several ? ` of ${name}` : '';
      return [
        pair(`rows${suffix}`, made),
        ...(filtered[0] + filtered[1] > 0 ? [pair(`rows filtered${suffix}`, filtered)] : []),
        pair(`part files${suffix}`, files),
        pair(`size${suffix}`, bytes, size),
      ];
    }),
  ];
  return grid('Counts', ['', '>A', '>B', ''], rows);
}

function rejects(a: Record<string, number>, b: Record<string, number>): HTMLElement[] {
  const reasons = [...new Set([...Object.keys(a), ...Object.keys(b)])].sort();
  if (reasons.length === 0) return [];
  const rows = reasons.map((reason) => {
    const [name, ...cells] = pair(reason, [a[reason] ?? 0, b[reason] ?? 0]);
    return [h('code', {}, name ?? ''), ...cells];
  });
  return [h('h3', {}, 'Rejected records by reason'), grid('Rejected records by reason', ['reason', '>A', '>B', ''], rows)];
}

function table(found: TableComparison): HTMLElement {
  const { columns, rows } = found;
  const changed = changedColumns(found);
  const heads = ['column', 'type', '>nulls', '>values changed'];
  return h(
    'section',
    {},
    h('h3', {}, 'Table ', h('code', {}, found.table)),
    h('p', { class: 'soft' }, aligned(found)),
    changed.length > 0 && grid(`Columns of ${found.table} that differ`, heads, changed.map((column) => columnRow(column, rows))),
    h('p', { class: 'soft after' }, `${count(columns.length - changed.length, 'column is', 'columns are')} the same`, found.reordered ? '; they stand in another order' : ''),
    examples(found, changed),
    ...(found.only ?? []).map((only, side) => onlyIn(found.table, side === 0 ? 'A' : 'B', only)),
  );
}

function aligned({ aligned: how, rows }: TableComparison): string {
  if (how === 'position') return 'Rows are compared by position: both sides have as many in every partition.';
  if (how === 'content') return 'Rows cannot be paired: the sides have other numbers of them, in all or in a partition. They are compared by content, whatever their order.';
  if (rows[0] === 0 || rows[1] === 0) return rows[0] === rows[1] ? 'Neither side has rows.' : `Only ${rows[0] > 0 ? 'A' : 'B'} has rows.`;
  return rows[0] === rows[1] ? 'Both sides are the same bytes.' : 'Values are not compared: there are too many rows to find them by content.';
}

function columnRow({ column, types: [a, b], nulls, changed, differs }: ColumnComparison, rows: Pair<number>): (string | HTMLElement)[] {
  const type =
    a === null ? h('strong', { class: 'good' }, `+ ${b}`) : b === null ? h('strong', { class: 'wrong' }, `- ${a}`) : a === b ? a : h('strong', { class: 'warn' }, `${a} → ${b}`);
  const shown = nulls.map((value) => (value === null ? '?' : number(value)));
  const both = a !== null && b !== null && rows[0] > 0 && rows[1] > 0;
  const values = !both ? '' : changed !== null ? number(changed) : differs ? 'yes' : 'no';
  return [h('code', {}, column), type, shown[0] === shown[1] ? (shown[0] ?? '') : shown.join(' → '), values];
}

/** The first values that differ, row by row. */
function examples({ table: name }: TableComparison, changed: ColumnComparison[]): HTMLElement | null {
  const rows = changed.flatMap(({ column, examples: list }) => list.map(({ row, a, b }) => [h('code', {}, column), number(row + 1), value(a), value(b)]));
  if (rows.length === 0) return null;
  return h('div', {}, h('h4', {}, 'First values that differ'), grid(`First values of ${name} that differ`, ['column', '>row', 'A', 'B'], rows));
}

function onlyIn(name: string, side: string, { rows, examples: list }: OnlyRows): HTMLElement | null {
  if (rows === 0) return h('p', { class: 'soft after' }, `No row is only in ${side}.`);
  const title = `${count(rows, 'row', 'rows')} only in ${side}`;
  const columns = Object.keys(list[0]?.values ?? {});
  const shown = list.map(({ row, values }) => [number(row + 1), ...columns.map((column) => value(values[column] ?? null))]);
  return h('div', {}, h('h4', {}, rows > list.length ? `${title}, the first of them` : title), grid(`Rows of ${name} only in ${side}`, ['>row', ...columns], shown));
}

function value(text: string | null): HTMLElement {
  if (text === null) return h('span', { class: 'null' }, 'null');
  return text === '' ? h('span', { class: 'blank' }, 'empty') : h('span', { title: text }, text.length > 60 ? `${text.slice(0, 60)}…` : text);
}
