// Files that failed: what became of each, and taking them again.
//
// Only where `lakegate serve` serves the page. Decisions to know: nothing is taken without a click; what came of it stays
// to be read when the list is drawn anew, and is told for each file, so that nobody has to look for it among the commits.

import { h } from '../dom';
import { follow, lake, type LakeFailure, type LakeFailures, type Only, type Upload } from '../lake';
import { count, fileName, headline, madeBy, number, when } from '../words';

/** Outcomes shown by name; the others are counted. */
const TOLD = 50;

export interface Failed {
  element: HTMLElement;
  show: (found: LakeFailures) => void;
}

/** The list; `changed` is called after something was taken. */
export function failedFiles(changed: () => Promise<void>): Failed {
  const list = h('div');
  const said = h('div', { role: 'status', class: 'again', tabindex: -1 });
  const element = h('section', { class: 'failed', 'aria-label': 'Files that failed', hidden: true }, said, list);
  const again = async (only: Only): Promise<void> => {
    list.querySelectorAll<HTMLButtonElement | HTMLSelectElement>('button, select').forEach((control) => (control.disabled = true));
    try {
      await take(only, said);
    } catch (error) {
      said.replaceChildren(h('p', { class: 'wrong' }, (error as Error).message));
    }
    await changed();
    // The button that was pressed is gone: the reader goes on at what came of it.
    said.focus({ preventScroll: true });
  };
  const show = (found: LakeFailures): void => {
    element.hidden = found.failures.length === 0 && said.childElementCount === 0;
    list.replaceChildren(...(found.failures.length === 0 ? [] : listed(found, (only) => void again(only))));
  };
  return { element, show };
}

function listed({ failures, next }: LakeFailures, again: (only: Only) => void): HTMLElement[] {
  const items = h('ol', { class: 'rejects fails' }, ...failures.map((failure) => item(failure, again)));
  const many = count(failures.length, 'file', 'files');
  return [
    h('h3', {}, next === null ? `${many} failed` : `${many} failed, and more`),
    h('p', { class: 'soft' }, 'Nothing of a try that failed is in the tables; what was made of the file before stays. Once the cause is gone (another release, a mended spec), it can be taken again as it came.'),
    all(failures, again),
    items,
  ];
}

/** The button for all, and for all of one release where there are several. */
function all(failures: LakeFailure[], again: (only: Only) => void): HTMLElement {
  const releases = [...new Set(failures.map(releaseOf))].filter((release) => release !== '');
  const choice = h('select', { 'aria-label': 'Of which release' }, h('option', { value: '' }, 'of any release'), ...releases.map((release) => h('option', { value: release }, `that failed under ${release}`)));
  const act = (): void => again(choice.value === '' ? {} : { release: choice.value });
  return h('div', { class: 'row all' }, h('button', { type: 'button', class: 'main', onclick: act }, 'Take all again'), releases.length > 0 ? choice : null);
}

function item(failure: LakeFailure, again: (only: Only) => void): HTMLElement {
  const { source, code, message, hint, at, release } = failure;
  const name = fileName(source.uri);
  const by = madeBy(releaseOf(failure), release?.sequence);
  return h(
    'li',
    {},
    h('p', {}, h('code', { title: source.uri }, name), ' ', h('strong', {}, message)),
    h('p', { class: 'soft' }, h('code', {}, code), by === '' ? null : ` · failed under ${by}`, ` · ${when(at)}`),
    hint ? h('p', { class: 'soft' }, `hint: ${hint}`) : null,
    h('p', { class: 'act' }, h('button', { type: 'button', onclick: () => again({ source: source.uri }) }, 'Take again', h('span', { class: 'unseen' }, ` ${name}`))),
  );
}

function releaseOf({ release }: LakeFailure): string {
  return release ? `${release.name}@${release.version}` : '';
}

/** Asks for it, follows each upload to its end, and says what came of it. */
async function take(only: Only, said: HTMLElement): Promise<void> {
  said.replaceChildren(h('p', { class: 'soft' }, 'asking …'));
  const { ids, left } = await lake.takeAgain(only);
  const ends: Upload[] = [];
  for (const id of ids) {
    const text = h('span', { class: 'soft' }, `taking ${number(ends.length + 1)} of ${number(ids.length)}`);
    said.replaceChildren(h('p', { class: 'row' }, h('progress', { max: ids.length, value: ends.length, 'aria-label': 'Taking again' }), text));
    ends.push(await follow(id, ({ name }) => (text.textContent = `taking ${number(ends.length + 1)} of ${number(ids.length)}: ${name}`)));
  }
  said.replaceChildren(...outcome(ends, left));
}

function outcome(ends: Upload[], left: string[]): HTMLElement[] {
  if (ends.length + left.length === 0) return [h('p', {}, 'Nothing that failed is left to take.')];
  const failed = ends.filter(({ problem }) => problem);
  const taken = ends.length - failed.length;
  const parts = [
    taken > 0 && h('strong', { class: 'good' }, `${number(taken)} taken`),
    failed.length > 0 && h('strong', { class: 'wrong' }, `${number(failed.length)} failed again`),
    left.length > 0 && h('strong', { class: 'warn' }, `${number(left.length)} left`),
  ].filter((part) => part !== false);
  // What did not come through is what a person has to see.
  const lines = [...failed, ...ends.filter(({ problem }) => !problem)].slice(0, TOLD).map(line);
  const outside = left.slice(0, TOLD).map((uri) => h('li', {}, h('code', { title: uri }, fileName(uri)), ' does not lie in this lake’s raw folder: ', h('code', {}, 'lakegate run --failed'), ' takes it'));
  return [
    h('p', { class: 'verdict' }, ...parts.flatMap((part, index) => (index === 0 ? [part] : [', ', part]))),
    h('ul', { class: 'sentences' }, ...lines, ...outside),
    ...(ends.length > TOLD ? [h('p', { class: 'soft' }, `… and ${number(ends.length - TOLD)} more`)] : []),
  ];
}

function line({ name, problem, commit, result }: Upload): HTMLElement {
  const file = h('code', {}, name);
  if (problem) return h('li', {}, file, ' failed again: ', h('span', { class: 'wrong' }, headline(problem)), problem.hint ? h('span', { class: 'soft' }, ` (${problem.hint})`) : null);
  if (!commit) return h('li', {}, file, ' is taken');
  const by = madeBy(commit.release, commit.document);
  const there = result === 'nothing_to_do' ? 'was there already' : 'is taken';
  return h('li', {}, file, ` ${there}: ${count(commit.rows, 'row', 'rows')}, ${count(commit.rejected, 'record', 'records')} in quarantine`, by === '' ? null : h('span', { class: 'soft' }, ` · made by ${by}`));
}
