// What releases that ran beside would have made: the same or what else, object by object, in words.
//
// Not for what is in use (`releases.ts`). The one decision to know: what differs is listed, what is the same is counted,
// in the words of `lakegate diff`.

import { h } from '../dom';
import type { ShadowReport, ShadowReports, Sides, TableSides } from '../following';
import { lake } from '../lake';
import { count, fileName, madeBy, number, when } from '../words';

/** Releases that are shown, reports that are read of each, and those that are shown. */
const RELEASES = 3;
const READ = 200;
const SHOWN = 50;

/** Reports of the newest releases that ran beside. */
export interface Beside {
  release: string;
  found: ShadowReports;
}

export async function readBeside(): Promise<Beside[]> {
  const releases = (await lake.shadows()).slice(0, RELEASES);
  return Promise.all(releases.map(async ({ name, version }) => ({ release: `${name}@${version}`, found: await lake.reports(name, version, READ) })));
}

/** `2 of 12 objects would come out otherwise`. */
export function besideInShort({ found: { reports, next } }: Beside): string {
  const differ = reports.filter(({ same }) => !same).length;
  const of = `${next === null ? '' : 'the first '}${count(reports.length, 'object', 'objects')}`;
  return differ === 0 ? `none of ${of} would come out otherwise` : `${number(differ)} of ${of} would come out otherwise`;
}

/** One release; `open` has the keys of what was opened by hand, so that it stays so. */
export function besideView(beside: Beside, open: Set<string>): HTMLElement {
  const { release, found } = beside;
  const differ = found.reports.filter(({ same }) => !same).sort(byTime);
  const same = found.reports.filter(({ same: equal }) => equal).sort(byTime);
  return h(
    'section',
    { class: 'beside', 'aria-label': `${release} beside` },
    h('p', {}, h('strong', {}, release), ' ', h('span', { class: differ.length > 0 ? 'warn' : 'good' }, besideInShort(beside))),
    differ.length > 0 && h('ul', { class: 'rejects' }, ...differ.slice(0, SHOWN).map((report) => different(report, open))),
    differ.length > SHOWN && h('p', { class: 'soft' }, `… and ${number(differ.length - SHOWN)} more that differ`),
    same.length > 0 && opened(`${release} same`, open, count(same.length, 'object comes out the same', 'objects come out the same'), h('ul', { class: 'sentences' }, ...same.slice(0, SHOWN).map((report) => h('li', {}, ...object(report))))),
    same.length > SHOWN && h('p', { class: 'soft' }, `The newest ${number(SHOWN)} of them are named.`),
  );
}

function byTime(a: ShadowReport, b: ShadowReport): number {
  return b.at.localeCompare(a.at);
}

function object({ source, generation, stable, at }: ShadowReport): (string | HTMLElement)[] {
  const by = stable ? madeBy(`${stable.name}@${stable.version}`, stable.sequence) : '';
  return [h('code', { title: source }, fileName(source)), h('span', { class: 'soft' }, ` generation ${number(generation)}${by === '' ? '' : `, made by ${by}`} · ${when(at)}`)];
}

function different(report: ShadowReport, open: Set<string>): HTMLElement {
  const key = `${report.shadow} ${report.source} ${report.generation}`;
  const [first, ...more] = sentences(report);
  return h(
    'li',
    {},
    h('p', {}, ...object(report)),
    h('p', {}, h('strong', {}, first ?? 'It comes out otherwise.')),
    more.length > 0 && opened(key, open, 'What differs', h('ul', { class: 'sentences' }, ...more.map((line) => h('li', {}, line)))),
  );
}

function opened(key: string, open: Set<string>, title: string, content: HTMLElement): HTMLElement {
  const box = h('details', { open: open.has(key) }, h('summary', {}, title), content);
  box.addEventListener('toggle', () => (box.open ? open.add(key) : open.delete(key)));
  return box;
}

/** What differs: all of it in one sentence, then each of it. */
export function sentences({ failed, comparison }: ShadowReport): string[] {
  if (failed) return [`The shadow does not take it: ${failed.message} (${failed.code}).`];
  if (!comparison) return [];
  const { records, rejected, tables } = comparison;
  const lines = [...change('records', records), ...change('records rejected', rejected), ...tables.flatMap(ofTable)];
  const short = [
    ...(differs(records) ? ['other records'] : []),
    ...(differs(rejected) ? ['other records rejected'] : []),
    ...tables.flatMap(({ table, rows, columns }) => {
      const changed = columns.filter((column) => !isSame(column)).length;
      const said = [...(differs(rows) ? ['other rows'] : []), ...(changed > 0 ? [count(changed, 'other column', 'other columns')] : [])];
      return said.length > 0 ? [`${said.join(' and ')} in ${table}`] : [];
    }),
  ].join('; ');
  return [`${short.charAt(0).toUpperCase()}${short.slice(1)}.`, ...lines];
}

function differs<T>([a, b]: Sides<T>): boolean {
  return a !== b;
}

function change(what: string, [a, b]: Sides<number>): string[] {
  return a === b ? [] : [`${what}: ${number(a)} → ${number(b)}`];
}

type Column = TableSides['columns'][number];

function isSame({ types, nulls, checksums, changed }: Column): boolean {
  return !differs(types) && !differs(nulls) && !differs(checksums) && (changed ?? 0) === 0;
}

function ofTable({ table, rows, columns }: TableSides): string[] {
  return [...change(`${table}: rows`, rows), ...columns.filter((column) => !isSame(column)).map((column) => `${table}.${column.column}: ${ofColumn(column)}`)];
}

function ofColumn({ types: [a, b], nulls, changed }: Column): string {
  if (a === null) return `a new column, ${b ?? ''}`;
  if (b === null) return `gone, was ${a}`;
  const said = [
    ...(a === b ? [] : [`type ${a} → ${b}`]),
    ...change('nulls', nulls),
    ...(changed === undefined ? ['other values'] : changed > 0 ? [count(changed, 'value changes', 'values change')] : []),
  ];
  return said.length > 0 ? said.join(', ') : 'other values';
}
