// Rows that filters dropped: each record as it came, with the rule that it did not meet.
//
// Not for finding them (`filtered.ts`).

import { h } from '../dom';
import type { Entry, Files, Result } from '../entry';
import { filteredOf, isRead, type Filtered } from '../filtered';
import { count, number, size, visible } from '../words';

/** Records listed before the list is cut. */
const LISTED = 200;
/** Files up to this are read without being asked. */
const SMALL_BYTES = 16 << 20;

/** The list, which is made once it is asked for; of a small file at once. Nothing where no row was dropped. */
export function filtered(files: Files, entry: Entry, result: Result): HTMLElement | null {
  const rows = result.preview.report.tables.reduce((sum, table) => sum + table.filtered, 0);
  if (rows === 0) return null;
  const said = h('p', { class: 'soft', role: 'status' });
  const place = h('section', { id: 'filtered', 'aria-label': 'Filtered' }, h('h3', {}, `Filtered: ${count(rows, 'row', 'rows')}`), said);
  const list = (): void => {
    said.textContent = 'Reading the file once more …';
    const hear = ({ read, total }: Entry['progress']): void => void (said.textContent = `Reading the file once more: ${size(read)} of ${size(total)}`);
    filteredOf(files, entry, result, hear).then(
      (found) => {
        said.textContent = summed(found, result);
        place.append(h('ol', { class: 'rejects' }, ...found.records.slice(0, LISTED).map(item)));
      },
      (error: Error) => (said.textContent = `What was dropped cannot be shown: ${error.message}`),
    );
  };
  if (entry.file.size <= SMALL_BYTES || isRead(result)) list();
  else said.append(h('button', { type: 'button', onclick: list }, `Read the file once more to list them (${size(entry.file.size)})`));
  return place;
}

function summed({ records, cut }: Filtered, { preview }: Result): string {
  const more = records.length > LISTED ? `; the first ${number(LISTED)} are listed` : '';
  const empty = preview.tables.some(({ contract }) => contract.rows) ? ' Records that have no element, where empty = "drop", are not among them.' : '';
  return `${cut ? 'At least ' : ''}${count(records.length, 'record has', 'records have')} rows that a filter drops${more}.${empty}`;
}

function item({ line: { record, line, raw, truncated, masked }, rule }: Filtered['records'][number]): HTMLElement {
  const place = [`record ${number(record)}`, ...(line === null ? [] : [`line ${number(line)}`])].join(', ');
  const text = masked ? h('p', { class: 'soft' }, 'Nothing of it is shown, because columns are masked.') : h('pre', { tabindex: 0, 'aria-label': `Record ${number(record)}` }, visible(raw), truncated ? ' … (cut)' : null);
  return h('li', { 'aria-label': `Record ${number(record)}` }, h('p', {}, h('code', {}, rule), ' ', h('span', { class: 'soft' }, place)), text);
}
