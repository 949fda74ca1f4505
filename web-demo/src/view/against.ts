// A file beside the tables that are there: what fits, what would be added, what would be quarantined.
//
// Not for judging (the transform did, under the contract). The one decision to know: the file's own types are what
// the same transform learns from it alone, so that both columns of types are the transform's word.

import { grid, h } from '../dom';
import type { Entry, Files } from '../entry';
import type { Contract, ContractColumn, Reason, TableContract } from '../protocol';
import { count, number } from '../words';
import { starred } from '../worker/names';

interface Difference {
  name: string;
  /** Type in the table, and by the file alone; null where it has no such column. */
  live: string | null;
  own: string | null;
  /** Records that are rejected for it. */
  records: number;
}

/** The tables that a file is meant for, how to load one, and what would become of the file there. */
export function tables(entry: Entry, files: Files, load: (list: File[]) => Promise<void>): HTMLElement {
  const remove = (table: string): void => files.keepTo(files.contracts.filter((contract) => contract.table !== table));
  const place = h('div', {}, loader(files.contracts, (list) => void load([...list]), remove));
  if (files.contracts.length > 0 && entry.state !== 'running') void show();
  return place;

  async function show(): Promise<void> {
    try {
      const own = await files.own(entry);
      const mine = new Map(own.map((contract) => [contract.table, contract]));
      const meant = files.contracts.flatMap((live) => {
        const alone = mine.get(live.table);
        return alone ? [against(live, alone, entry.reasons)] : [];
      });
      place.append(...meant);
      if (meant.length === 0) place.append(h('p', { class: 'soft' }, `This file makes ${own.map(({ table }) => table).join(', ')}: none of these tables was loaded.`));
    } catch (error) {
      place.append(h('p', { class: 'soft' }, `What the file holds by itself is not known: ${(error as Error).message}`));
    }
  }
}

function loader(loaded: TableContract[], load: (files: FileList) => void, remove: (table: string) => void): HTMLElement {
  const input = h('input', { type: 'file', accept: '.json', multiple: true, class: 'unseen', tabindex: -1, 'aria-label': 'schema.json of a table' });
  input.addEventListener('change', () => input.files && load(input.files));
  const chips = loaded.map(({ table }) =>
    h(
      'li',
      { class: 'chip on' },
      h('span', {}, table),
      h('button', { type: 'button', class: 'quiet', 'aria-label': `No longer compare with ${table}`, onclick: () => remove(table) }, '×'),
    ),
  );
  return h(
    'div',
    { class: 'row contracts' },
    loaded.length > 0 ? h('ul', { class: 'row', 'aria-label': 'Tables to compare with' }, ...chips) : h('span', { class: 'soft' }, 'Is there a table already?'),
    input,
    h('button', { type: 'button', onclick: () => input.click() }, 'Load its schema.json'),
  );
}

/** The differences of one table, in sentences and as a table. */
function against(live: TableContract, own: TableContract, reasons: Reason[]): HTMLElement {
  const mine = reasons.filter(({ table }) => table === null || table === live.table);
  const found = differences(JSON.parse(live.text) as Contract, JSON.parse(own.text) as Contract, mine);
  const other = found.filter(({ live: a, own: b, records }) => a !== b || records > 0);
  return h(
    'section',
    { class: 'against' },
    h('h3', {}, `Against the table ${live.table}`),
    other.length === 0
      ? h('p', { class: 'good' }, `Every column fits: ${count(found.length, 'column', 'columns')} of the same types.`)
      : h('ul', { class: 'sentences' }, ...other.map((difference) => h('li', { class: difference.records > 0 ? 'wrong' : undefined }, sentence(difference)))),
    other.length > 0
      ? grid(
          `Columns of ${live.table} that differ`,
          ['column', 'in the table', 'here', '>records quarantined'],
          other.map(({ name, live: a, own: b, records }) => [h('code', {}, name), a ?? h('em', {}, 'none'), b ?? h('em', {}, 'none'), number(records)]),
        )
      : null,
  );
}

function sentence({ name, live, own, records }: Difference): string {
  const quarantined = records > 0 ? `${count(records, 'record', 'records')} would be quarantined` : 'no record is rejected for it';
  if (live === null) return `column ${name}: ${own} here, not in the table: ${records > 0 ? quarantined : 'added at its end, unless the spec says otherwise'}`;
  if (own === null) return `column ${name}: ${live} in the table, not in this file: null in every row`;
  if (live === own) return `column ${name}: ${live} in both; ${quarantined}`;
  return `column ${name}: ${live} in the table, ${own} here: ${quarantined}`;
}

/** Column by column: the table's in its order, then those that only the file has. */
function differences(live: Contract, own: Contract, reasons: Reason[]): Difference[] {
  const key = ({ pointer, name }: ContractColumn): string => (pointer === undefined ? `name ${name}` : starred(pointer));
  const mine = [...(own.columns ?? []), ...(own.partition_by ?? [])];
  const theirs = [...(live.columns ?? []), ...(live.partition_by ?? [])];
  const byKey = new Map(mine.map((column) => [key(column), column]));
  const records = (column: ContractColumn): number =>
    reasons.filter(({ path }) => path !== null && (starred(path) === key(column) || path === column.name)).reduce((sum, one) => sum + one.records, 0);
  const found = theirs.map((column) => {
    const same = byKey.get(key(column));
    byKey.delete(key(column));
    return { name: column.name, live: column.type ?? null, own: same?.type ?? null, records: records(column) };
  });
  const more = mine.filter((column) => byKey.get(key(column)) === column);
  return [...found, ...more.map((column) => ({ name: column.name, live: null, own: column.type ?? null, records: records(column) }))];
}
