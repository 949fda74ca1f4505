// The page: files on top, one preview below in tabs.
//
// Not for making anything (the worker) nor for a tab's content (`view/`). The one decision to know: a change draws
// the page anew from `Files`, except what holds a person's place: the editor while it is edited, and progress.

import './style.css';
import { addressOf, fileAt, tabAt, tabId, TABS, type Tab } from './address';
import { byId, h } from './dom';
import { Files, type Change, type Entry } from './entry';
import { contractOf } from './contracts';
import { fetchExample, type Example } from './examples';
import type { Preview, Table } from './protocol';
import { Keeper } from './keeper';
import { compare } from './view/compare';
import { say } from './say';
import { theme } from './theme';
import { drop, empty, type Intake } from './view/empty';
import { files as filesView } from './view/files';
import { filtered } from './view/filtered';
import { isServed, lake } from './lake';
import { mendedTexts, mendingOf } from './mend/mending';
import { keeping } from './view/keeping';
import { lakeView } from './view/lake';
import { QueryView } from './view/query';
import { rejects } from './view/rejects';
import { releasesView } from './view/releases';
import { rows } from './view/rows';
import { tables } from './view/against';
import { schema } from './view/schema';
import { keepFocus, leave, restore } from './view/scrolls';
import { spec, type Editor } from './view/spec';
import { banner, summary } from './view/summary';
import { take } from './view/take';
import { Chooser } from './view/transforms';
import { headline, number, size, visible } from './words';

/** Views of what is behind the page, each with a button in its head. */
const ASIDES = { lake: lakeView, releases: () => releasesView(() => void chooser.refresh()) };
type Aside = keyof typeof ASIDES;

const main = byId('main');
const files = new Files(changed);
const keeper = new Keeper(files, changed);
let tab: Tab = tabAt(location.hash);
const query = new QueryView();
let tableName = '';
const chooser = new Chooser(files, say);
let editor: { entry: Entry; editor: Editor } | null = null;
let pasted = 0;
/** The file and the tab that are on the page. */
let drawn: { entry: Entry; tab: Tab } | null = null;
/** What is shown instead of a file. */
let aside: Aside | null = null;

const intake: Intake = {
  files: (list) => void takeIn([...list]).then(() => visit()),
  text: (text) => {
    aside = null;
    files.add(new Blob([text]), `pasted${++pasted > 1 ? `_${pasted}` : ''}.txt`, files.given);
    visit();
  },
  example: (example) => void tryExample(example).then(() => visit()),
};

/** Components to run; files to preview; a spec among them is for those that come with it, or for the file that is shown. */
async function takeIn(all: File[]): Promise<void> {
  const list = await chooser.takeIn(all);
  const isSpec = ({ name }: File): boolean => name.toLowerCase().endsWith('.toml');
  const text = (await list.find(isSpec)?.text()) ?? '';
  const contracts = await contractsAmong(list);
  const inputs = list.filter((file) => !isSpec(file) && !contracts.includes(file));
  if (inputs.length > 0) aside = null;
  inputs.forEach((file) => files.add(file, file.name, text || files.given));
  const { current } = files;
  if (inputs.length > 0 || text === '') return;
  if (!current) return say('a spec was given: drop a file to preview with it');
  current.spec = text;
  current.draft = null;
  files.start(current);
}

/** Takes contracts of tables out of what came, and keeps to them; those files. */
async function contractsAmong(list: File[]): Promise<File[]> {
  const taken: File[] = [];
  const found = new Map(files.contracts.map((contract) => [contract.table, contract]));
  for (const file of list) {
    try {
      const contract = await contractOf(file, file.name);
      if (!contract) continue;
      found.set(contract.table, contract);
    } catch (error) {
      say((error as Error).message);
    }
    taken.push(file);
  }
  if (taken.length > 0) files.keepTo([...found.values()]);
  return taken;
}

async function loadTables(list: File[]): Promise<void> {
  const taken = await contractsAmong(list);
  if (taken.length === 0) say('this is no schema.json of a table');
}

async function tryExample(example: Example): Promise<void> {
  try {
    const { file, spec: text } = await fetchExample(example);
    files.add(file, example.name, text);
  } catch (error) {
    say((error as Error).message);
  }
}

function changed(change: Change): void {
  if (change === 'component') return chooser.draw();
  if (change === 'progress') return progress();
  keeper.follow();
  if (change === 'work') return;
  if (change === 'other') return keepFocus(main, others);
  keepFocus(main, draw);
}

/** A file that is not shown changed: only the list of files is drawn, so that nobody loses their place. */
function others(): void {
  const entry = files.current;
  query.follow(files.entries, entry);
  if (entry) replace('picker', picker(entry));
}

function draw(): void {
  const entry = files.current;
  if (drawn) leave(drawn.entry, drawn.tab, main, document.getElementById('panel'));
  drawn = null;
  query.follow(files.entries, entry);
  for (const name of Object.keys(ASIDES)) byId(name).setAttribute('aria-pressed', String(aside === name));
  if (aside) return main.replaceChildren(heading(byId(aside).textContent ?? ''), ASIDES[aside]());
  if (files.broken) return main.replaceChildren(banner(headline(files.broken), '', files.broken.hint ?? 'reload the page'));
  if (!entry) return main.replaceChildren(empty(intake, keeper.consent === 'yes' && keeping(keeper)));
  const editing = Boolean(document.activeElement?.closest('.editor'));
  if (editing && editor?.entry === entry && tab === 'Spec') {
    // The text area keeps its place and its caret: only what surrounds it is drawn.
    editor.editor.update();
    replace('picker', picker(entry));
    replace('summary', summary(entry, files, tab === 'Spec', choose));
    replace('tabs', tabList(entry));
    drawn = { entry, tab };
    return centreTab();
  }
  drawn = { entry, tab };
  main.replaceChildren(picker(entry), summary(entry, files, tab === 'Spec', choose), tabList(entry), panel(entry));
  restore(entry, tab, main, document.getElementById('panel'));
  centreTab();
}

function replace(id: string, by: HTMLElement): void {
  document.getElementById(id)?.replaceWith(by);
}

/** The files, when there are several, and where to add more. */
function picker(current: Entry): HTMLElement {
  const chips = files.entries.map((entry) =>
    h(
      'li',
      { class: entry === current ? 'chip on' : 'chip' },
      h(
        'button',
        { type: 'button', 'aria-pressed': String(entry === current), onclick: () => show(entry) },
        h('span', { class: `dot ${entry.draft === null ? entry.state : 'running'}`, 'aria-hidden': 'true' }),
        visible(entry.name),
      ),
      h('button', { type: 'button', class: 'quiet', 'aria-label': `Remove ${entry.name}`, onclick: () => remove(entry) }, '×'),
    ),
  );
  return h('div', { class: 'picker', id: 'picker' }, h('ul', { 'aria-label': 'Files' }, ...chips), keeping(keeper), drop(intake, false));
}

function show(entry: Entry): void {
  files.show(entry);
  visit();
}

/** Whether a person wrote something for a file here, which is nowhere else. */
function hasWork(entry: Entry): boolean {
  return entry.draft !== null || (entry.edited && entry.spec !== files.told.spec) || mendedTexts(entry).length > 0;
}

/** Takes a file off the page; what a person wrote for it only when they say so. */
function remove(entry: Entry): void {
  if (hasWork(entry) && !confirm(`Remove ${entry.name}, and what you edited for it?`)) return;
  files.remove(entry);
  visit(false);
}

function progress(): void {
  const entry = files.current;
  const bar = document.getElementById('progress') as HTMLProgressElement | null;
  if (!entry || !bar) return;
  const { pass, read, total } = entry.progress;
  bar.value = total > 0 ? read / total : 0;
  byId('progress-text').textContent = `pass ${pass}: ${size(read)} of ${size(total)}`;
}

function badge(name: Tab, entry: Entry): string {
  const preview = entry.result?.preview;
  const sum = (of: (table: Table) => number): string => (preview ? number(preview.tables.reduce((all, table) => all + of(table), 0)) : '');
  switch (name) {
    case 'Rows':
      return sum((table) => table.rows);
    case 'Schema':
      return sum((table) => table.columns.length);
    case 'Files':
      return sum((table) => table.parts.length);
    case 'Rejects':
      return entry.rejected.length > 0 ? number(entry.rejected.length) : preview ? number(preview.report.rejected) : '';
    default:
      return '';
  }
}

/** Where not all tabs fit, the chosen one is in the middle. */
function centreTab(): void {
  const chosen = document.getElementById(tabId(tab));
  const list = chosen?.parentElement;
  if (chosen && list) list.scrollLeft = chosen.offsetLeft - (list.clientWidth - chosen.offsetWidth) / 2;
}

/** Tabs as the ARIA pattern has them: arrows move, one of them is in the tab order. */
function tabList(entry: Entry): HTMLElement {
  const buttons = TABS.map((name) => {
    const text = badge(name, entry);
    const wrong = (name === 'Spec' && entry.problem?.fault === 'spec') || (name === 'Rejects' && text !== '' && text !== '0');
    return h(
      'button',
      {
        type: 'button',
        role: 'tab',
        id: tabId(name),
        'aria-selected': String(name === tab),
        'aria-controls': 'panel',
        tabindex: name === tab ? 0 : -1,
        onclick: () => choose(name),
      },
      name,
      text !== '' && h('span', { class: wrong ? 'badge warn' : 'badge' }, text),
    );
  });
  const list = h('div', { role: 'tablist', id: 'tabs', 'aria-label': 'Views of the preview' }, ...buttons);
  list.addEventListener('keydown', ({ key }) => {
    const step = { ArrowRight: 1, ArrowLeft: -1 }[key];
    const to = key === 'Home' ? 0 : key === 'End' ? TABS.length - 1 : step && (TABS.indexOf(tab) + step + TABS.length) % TABS.length;
    const next = to === undefined ? undefined : TABS[to];
    if (next) choose(next);
  });
  return list;
}

function choose(name: Tab, part?: string): void {
  open(name, files.current);
  visit();
  if (part) document.getElementById(part)?.scrollIntoView();
}

/** Makes the address say what is shown; with a `step` of its own in the history, so that Back leads to what was shown before. */
function visit(step = true): void {
  const address = addressOf(tab, files.current, files.entries);
  if (address === location.hash) return;
  // There is nothing to go back to before the first file.
  if (step && location.hash.includes('/')) history.pushState(null, '', address);
  else history.replaceState(null, '', address);
}

function open(name: Tab, entry: Entry | null): void {
  tab = name;
  (document.activeElement as HTMLElement | null)?.blur();
  if (entry && entry !== files.current) files.show(entry);
  else draw();
  document.getElementById(tabId(name))?.focus({ preventScroll: true });
}

function panel(entry: Entry): HTMLElement {
  return h('section', { id: 'panel', role: 'tabpanel', 'aria-labelledby': tabId(tab), tabindex: -1 }, heading(`${tab} of ${visible(entry.name)}`), ...content(entry));
}

/** What the headings below belong to; it is seen by itself. */
function heading(text: string): HTMLElement {
  return h('h2', { class: 'unseen' }, text);
}

function content(entry: Entry): HTMLElement[] {
  const { result } = entry;
  const preview = result?.preview;
  if (tab === 'Spec') {
    const run = (text: string): void => {
      entry.spec = text;
      entry.edited = text !== files.told.spec;
      files.start(entry);
    };
    const touched = (): void => {
      replace('picker', picker(entry));
      keeper.follow();
    };
    const made = spec(entry, files.told, run, touched);
    editor = { entry, editor: made };
    return [made.element];
  }
  const mending = tab === 'Rejects' && mendingOf(files, entry);
  if (mending) {
    const dropped = result && entry.rejected.length === 0 && filtered(files, entry, result);
    return [rejects(mending, entry.name, mending.rejected.contracts[0]?.table ?? 'TABLE'), ...(dropped ? [dropped] : [])];
  }
  if (tab === 'Schema' && !preview) return [tables(entry, files, loadTables)];
  if (!result || !preview) return [h('p', { class: 'note' }, entry.state === 'running' ? 'Reading …' : 'There is nothing to show.')];
  if (tab === 'Query') return [query.open()];
  if (tab === 'Compare') return [compare(entry, files)];
  if (tab === 'Take away') return [take(entry, result, files, () => void served())];
  const table = preview.tables.find(({ name }) => name === tableName) ?? preview.tables[0];
  if (!table) return [h('p', { class: 'note' }, 'No table was made: the file has no records.'), header(entry, preview)];
  return [...tableChoice(preview, table), view(entry, preview, table)];
}

/** What a CSV without records has all the same: its header. */
function header({ file }: Entry, { report: { format, lead = 0, compression } }: Preview): HTMLElement {
  const shown = h('figure', { class: 'excerpt' });
  const plain = ['csv', 'tsv'].includes(format) && ['', 'none'].includes(compression);
  if (plain && file.size > 0) void file.slice(0, Math.min(lead || file.size, 4096)).text().then((text) => shown.append(h('figcaption', { class: 'soft' }, 'Its header:'), h('pre', { tabindex: 0, 'aria-label': 'The header of the file' }, visible(text))));
  return shown;
}

function view(entry: Entry, preview: Preview, table: Table): HTMLElement {
  if (tab === 'Schema') {
    const parts = [schema(table), tables(entry, files, loadTables)];
    // With a table to compare with, that is what a person came for.
    return h('div', {}, ...(files.contracts.length > 0 ? parts.reverse() : parts));
  }
  const shown = entry.result?.id ?? 0;
  if (tab === 'Files') return filesView(table, preview, (column) => files.picture(shown, table.name, column));
  return rows(table, (offset, number_) => files.rows(shown, table.name, offset, number_), preview.report.records);
}

function tableChoice({ tables }: Preview, current: Table): HTMLElement[] {
  if (tables.length < 2) return [];
  const choice = h(
    'select',
    { 'aria-label': 'Table' },
    ...tables.map(({ name }) => h('option', { value: name, selected: name === current.name }, name)),
  );
  choice.addEventListener('change', () => {
    tableName = choice.value;
    draw();
  });
  return [choice];
}

function dropAnywhere(): void {
  const over = (on: boolean): void => void document.body.classList.toggle('over', on);
  addEventListener('dragover', (event) => {
    event.preventDefault();
    over(true);
  });
  addEventListener('dragleave', (event) => event.relatedTarget === null && over(false));
  addEventListener('drop', (event) => {
    event.preventDefault();
    over(false);
    if (event.dataTransfer) intake.files(event.dataTransfer.files);
  });
  addEventListener('paste', (event) => {
    const typing = event.target instanceof Element && event.target.closest('textarea, input');
    if (typing || !event.clipboardData) return;
    if (event.clipboardData.files.length > 0) intake.files(event.clipboardData.files);
    else if (event.clipboardData.getData('text').trim() !== '') intake.text(event.clipboardData.getData('text'));
  });
}

/** Takes over what the lake behind the page has: its contracts, and its spec. */
async function served(): Promise<void> {
  if (!isServed()) return;
  byId('lake').hidden = false;
  try {
    const [about, contracts] = await Promise.all([lake.about(), lake.contracts()]);
    byId('releases').hidden = !about.releases;
    files.given = about.spec ?? '';
    files.transforms.shipped.spec = files.given;
    files.contracts = contracts;
  } catch (error) {
    say(`the lake cannot be read: ${(error as Error).message}`);
  }
}

function asideButtons(): void {
  for (const name of Object.keys(ASIDES) as Aside[]) {
    byId(name).addEventListener('click', () => {
      aside = aside === name ? null : name;
      draw();
    });
  }
}

/** Goes where the address leads; a file that is gone is not shown, and not named either. */
function follow(): void {
  if (!files.current) return;
  open(tabAt(location.hash), fileAt(location.hash, files.entries) ?? files.current);
  visit(false);
}

/** Puts what is kept back; the file that the address names is shown. */
async function putBack(): Promise<void> {
  const address = location.hash;
  const before = files.current;
  await keeper.restore();
  const entry = fileAt(address, files.entries) ?? before ?? files.current;
  if (!entry) return;
  if (entry !== files.current) files.show(entry);
  visit(false);
}

theme();
addEventListener('beforeunload', (event) => files.entries.some((entry) => hasWork(entry) && !keeper.keeps(entry)) && event.preventDefault());
addEventListener('popstate', follow);
asideButtons();
void served().then(putBack);
dropAnywhere();
draw();
