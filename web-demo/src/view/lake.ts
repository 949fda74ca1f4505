// The lake behind the page: what failed, its tables, what was committed, what is in quarantine.
//
// Only where `lakegate serve` serves the page. The one decision to know: read anew each time it is shown, since others
// write to the same lake.

import { grid, h } from '../dom';
import { lake, type About, type LakeCommit, type LakeQuarantine, type LakeTables } from '../lake';
import { count, fileName, madeBy, number, short, size, when } from '../words';
import { failedFiles } from './failures';

/** Commits and rejected records shown. */
const LISTED = 50;

/** The lake as it is now. */
export function lakeView(): HTMLElement {
  const place = h('section', { class: 'lake', 'aria-label': 'The lake' }, h('p', { class: 'note' }, 'Reading …'));
  const failed = failedFiles(() => show());
  const show = async (): Promise<void> => {
    try {
      const [about, tables, commits, quarantine, failures] = await Promise.all([lake.about(), lake.tables(), lake.commits(LISTED), lake.quarantine(LISTED), lake.failures(LISTED)]);
      failed.show(failures);
      place.replaceChildren(head(about, () => void show()), failed.element, ...tablesOf(tables), ...commitsOf(commits), ...quarantineOf(quarantine));
    } catch (error) {
      place.replaceChildren(h('p', { class: 'problem' }, (error as Error).message));
    }
  };
  void show();
  return place;
}

function head({ lake: folder, release, document, spec }: About, again: () => void): HTMLElement {
  const by = release ? madeBy(`${release.name}@${release.version}`, document) : spec !== null ? 'its own spec' : 'the spec that each upload brings';
  return h('div', { class: 'row spread' }, h('p', {}, h('strong', {}, folder), h('span', { class: 'soft' }, ` · uploads follow ${by}`)), h('button', { type: 'button', onclick: again }, 'Refresh'));
}

function tablesOf({ tables, newest }: LakeTables): HTMLElement[] {
  if (tables.length === 0) return [h('p', { class: 'note' }, 'The lake has no tables yet: preview a file, then “Take away”, “Load into the lake”.')];
  const rows = tables.map(({ table, rows: n, files, bytes, contract, columns, partition_by, changed }) => [
    h('code', {}, table),
    number(n),
    number(files),
    size(bytes),
    when(changed),
    h('code', { title: contract }, short(contract)),
    [...columns.map(({ name, type }) => `${name} ${type}`), ...partition_by.map(({ name, type }) => `${name} ${type} (in the path)`)].join(', '),
  ]);
  const part = newest === null ? [] : [h('p', { class: 'note' }, `Sums of the newest ${count(newest, 'commit', 'commits')}; lakegate status --all counts every one.`)];
  return [h('h3', {}, 'Tables'), ...part, grid('Tables', ['table', '>rows', '>part files', '>size', 'changed', 'contract', 'columns'], rows)];
}

function commitsOf(commits: LakeCommit[]): HTMLElement[] {
  if (commits.length === 0) return [];
  const promise = (kept: boolean | null): HTMLElement =>
    kept === null ? h('span', { class: 'soft' }, 'no promise') : kept ? h('span', { class: 'good' }, 'as previewed') : h('span', { class: 'wrong' }, 'not as previewed');
  const state = ({ done, current }: LakeCommit): string => (!done ? 'not finished' : current ? 'in the tables' : 'replaced');
  const rows = commits.map((commit) => [
    when(commit.committed),
    h('code', { title: commit.source }, commit.name),
    number(commit.generation),
    number(commit.rows),
    number(commit.rejected),
    state(commit),
    madeBy(commit.release, commit.document),
    promise(commit.as_previewed),
  ]);
  return [h('h3', {}, 'Commits'), grid('Commits', ['when', 'file', '>generation', '>rows', '>rejected', 'state', 'release', 'promise'], rows)];
}

function quarantineOf({ total, reasons, records }: LakeQuarantine): HTMLElement[] {
  if (total === 0) return [];
  return [
    h('h3', {}, `Quarantine: ${count(total, 'record', 'records')}`),
    grid('Reasons', ['>records', 'where', 'reason', 'message'], reasons.map(({ count: n, path, code, message }) => [number(n), h('code', {}, path ?? ''), h('code', {}, code), message])),
    h(
      'ol',
      { class: 'rejects' },
      ...records.map(({ source, record, message, raw, truncated, masked, path }) =>
        h('li', {}, h('p', {}, h('strong', {}, message), ' ', h('code', {}, path ?? '')), h('p', { class: 'soft' }, `record ${number(record)} of ${fileName(source)}`), masked ? h('p', { class: 'soft' }, 'Nothing of it is kept, because columns are masked.') : h('pre', { tabindex: 0 }, raw, truncated ? ' … (cut)' : null)),
      ),
    ),
  ];
}
