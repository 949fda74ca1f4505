// Upload: the raw file, with the promise of what must come of it.
//
// Not for making or running anything. The decisions to know: nothing leaves the page before a click, and the page's policy
// allows no other place than its own server and those that whoever served the page named; what is sent is one result's file
// and spec with that result's receipt; and what came of it stays with the file until it is closed.

import { h } from '../dom';
import type { Entry, Files, Result } from '../entry';
import { follow, isServed, lake, send, upload, type Upload } from '../lake';
import type { Receipt } from '../protocol';
import { differences } from '../receipt';
import { ahead } from './ahead';
import { count, headline, madeBy, NOT_COMPARABLE, number, size } from '../words';

/** The header that carries the receipt's digest; S3 takes 2 KB of such headers, this is 64 bytes. */
const RECEIPT_HEADER = 'x-amz-meta-lakegate-receipt';

/** What the page does once production is done. */
export type Landed = () => void;

/** What is said of an entry's last upload into the lake, however often the page is drawn, and whether it is under way. */
const landings = new WeakMap<Entry, { said: HTMLElement; busy: boolean }>();

/** `held`: why nothing is sent now. */
export function uploads(entry: Entry, result: Result, files: Files, landed: Landed, held: string): HTMLElement {
  return h(
    'section',
    { class: 'uploads' },
    h('h3', {}, 'Upload'),
    isServed() ? intoLake(entry, result, files, landed, held || foreign(result, files)) : null,
    targets().length > 0 ? presigned(entry, result, held) : null,
    held === '' && byHand(entry, result),
  );
}

/** Origins that the page's own policy lets it send to, beside its server. */
function targets(): string[] {
  const policy = document.querySelector('meta[http-equiv="Content-Security-Policy"]')?.getAttribute('content') ?? '';
  const sources = /connect-src ([^;]*)/.exec(policy)?.[1]?.split(/\s+/) ?? [];
  return sources.filter((source) => /^https?:\/\//.test(source));
}

/** Why the server would not make this: it has a spec of its own. */
function foreign({ under }: Result, { given }: Files): string {
  return given !== '' && under.spec !== given ? 'The server loads every file under its own spec: what is shown was made under a copy of yours.' : '';
}

function intoLake(entry: Entry, result: Result, files: Files, landed: Landed, held: string): HTMLElement {
  const { under, preview } = result;
  const landing = landings.get(entry) ?? { said: h('div', { role: 'status', class: 'landing' }), busy: false };
  landings.set(entry, landing);
  const { said } = landing;
  const button = h('button', { type: 'button', class: 'main', onclick: () => void act(), disabled: held !== '', title: held || undefined }, 'Load into the lake');
  const close = (): HTMLElement => h('button', { type: 'button', class: 'quiet', 'aria-label': 'Close what came of the upload', onclick: () => said.replaceChildren() }, '×');
  const act = async (): Promise<void> => {
    // The button of a page that was drawn meanwhile.
    if (landing.busy) return;
    landing.busy = true;
    button.disabled = true;
    try {
      const { file, name } = entry;
      const { spec } = under;
      const bar = h('progress', { max: Math.max(1, file.size), value: 0, 'aria-label': 'Loading into the lake' });
      const text = h('span', { class: 'soft' }, 'sending');
      said.replaceChildren(h('div', { class: 'row' }, bar, text));
      const id = await upload({ file, name, spec }, preview.receiptDigest, (bytes) => (bar.value = bytes));
      const end = await follow(id, ({ state, pass, read, total }) => {
        bar.max = Math.max(1, total);
        bar.value = read;
        text.textContent = state === 'waiting' ? 'waiting for the files before' : `pass ${pass}: ${size(read)}`;
      });
      said.replaceChildren(close(), ...outcome(end, preview.receipt), ...retraction(end, said, landed));
      landed();
    } catch (error) {
      said.replaceChildren(close(), h('p', { class: 'wrong' }, (error as Error).message));
    } finally {
      landing.busy = false;
      button.disabled = held !== '';
    }
  };
  return h('div', {}, h('p', { class: 'row' }, button, h('span', { class: 'soft' }, held !== '' ? held : 'The raw file goes into the lake’s raw folder and through its pipeline:')), held === '' && ahead(entry, result, files.contracts), said);
}

function outcome({ problem, receipt, commit, result }: Upload, promised: Receipt): HTMLElement[] {
  if (problem) return [h('p', { class: 'wrong' }, headline(problem)), h('p', { class: 'soft' }, problem.hint ?? 'nothing of it is visible in the lake')];
  const lines: HTMLElement[] = [];
  const different = receipt ? differences(promised, receipt) : ['it left no receipt'];
  if (!promised.comparable) {
    lines.push(h('p', { class: 'warn' }, `Loaded. ${NOT_COMPARABLE}`));
  } else if (different.length === 0) {
    lines.push(h('p', { class: 'good verdict' }, h('strong', {}, 'Production made exactly what you previewed.')));
  } else {
    lines.push(h('p', { class: 'wrong verdict' }, h('strong', {}, 'Production made something else than you previewed:')), h('ul', {}, ...different.slice(0, 20).map((line) => h('li', {}, line))));
    if (different.length > 20) lines.push(h('p', { class: 'soft' }, `… and ${number(different.length - 20)} more differences`));
  }
  if (commit) {
    const again = result === 'nothing_to_do' ? 'it was there already: ' : '';
    const by = madeBy(commit.release, commit.document);
    if (by !== '') lines.push(h('p', {}, 'Made by ', h('strong', {}, by), '.'));
    lines.push(h('p', { class: 'soft' }, `${again}${count(commit.rows, 'row', 'rows')}, ${count(commit.rejected, 'record', 'records')} in quarantine · generation ${number(commit.generation)} of ${commit.pipeline} · `, h('code', {}, commit.key)));
  }
  return lines;
}

/** Takes what was loaded out of the tables again. */
function retraction({ commit }: Upload, said: HTMLElement, landed: Landed): HTMLElement[] {
  if (!commit) return [];
  const { pipeline, source, rows } = commit;
  const act = async (): Promise<void> => {
    button.disabled = true;
    try {
      const generation = await lake.retract(pipeline, source);
      const gone = `Retracted: ${rows === 1 ? 'its row is' : `its ${count(rows, 'row', 'rows')} are`} out of the tables (generation ${number(generation)} of ${pipeline}). The raw file is kept, and loading it brings them back.`;
      said.replaceChildren(h('p', {}, gone));
      landed();
    } catch (error) {
      button.disabled = false;
      told.textContent = (error as Error).message;
    }
  };
  const button = h('button', { type: 'button', onclick: () => void act() }, 'Retract');
  const told = h('span', { class: 'soft' }, 'takes its rows out of the tables again');
  return [h('p', { class: 'row' }, button, told)];
}

/** A URL that somebody with rights made for this one upload. */
function presigned(entry: Entry, { preview }: Result, held: string): HTMLElement {
  const said = h('p', { role: 'status', class: 'soft' });
  const url = h('input', { type: 'url', 'aria-label': 'Presigned URL', placeholder: `${targets()[0]}/…?X-Amz-Signature=…`, autocomplete: 'off' });
  const tell = (text: string, wrong = false): void => {
    said.textContent = text;
    said.classList.toggle('wrong', wrong);
  };
  const act = async (): Promise<void> => {
    let target: URL;
    try {
      target = new URL(url.value);
    } catch {
      return tell('this is no URL', true);
    }
    if (!targets().includes(target.origin)) return tell(`this page may send to ${targets().join(', ')} only`, true);
    const signed = (target.searchParams.get('X-Amz-SignedHeaders') ?? '').split(';').includes(RECEIPT_HEADER);
    button.disabled = true;
    try {
      const headers: Record<string, string> = signed ? { [RECEIPT_HEADER]: preview.receiptDigest } : {};
      await send('PUT', target.href, entry.file, headers, (bytes) => tell(`${size(bytes)} of ${size(entry.file.size)}`));
      tell(signed ? 'Uploaded, with the receipt’s digest.' : `Uploaded, without the receipt’s digest: the URL was signed without ${RECEIPT_HEADER}.`);
    } catch (error) {
      tell((error as Error).message, true);
    } finally {
      button.disabled = false;
    }
  };
  const button = h('button', { type: 'button', onclick: () => void act(), disabled: held !== '', title: held || undefined }, 'Upload to this URL');
  return h('div', {}, h('div', { class: 'row presigned' }, url, button), said);
}

/** The command for those who upload themselves. */
function byHand({ name }: Entry, { preview: { receiptDigest } }: Result): HTMLElement {
  const quoted = /^[\w.-]+$/.test(name) ? name : `'${name.replaceAll("'", `'\\''`)}'`;
  const line = `aws s3 cp ${quoted} s3://BUCKET/PREFIX/ --metadata lakegate-receipt=${receiptDigest}`;
  const only = !isServed() && targets().length === 0;
  return h('details', { open: only }, h('summary', {}, only ? 'This page sends nothing; by hand:' : 'By hand'), h('pre', { tabindex: 0, 'aria-label': 'Command that uploads the file' }, line));
}
