// Keeps the page's files and specs in this browser, where its person said so, and puts them back after a reload.
//
// Not for storing (`kept.ts`) nor for asking (`view/keeping.ts`). The one decision to know: nothing is written before the
// answer is yes, and the answer is looked up before each write, because another window may have taken it back.

import type { Change, Entry, Files } from './entry';
import * as kept from './kept';
import { mendedTexts, mendingOf } from './mend/mending';
import { size } from './words';

/** Of all kept files together. */
const MOST_BYTES = 2 ** 30;
const ANSWER = 'lakegate-keep';

/** What was said to keeping files; the empty text: nothing yet. */
export type Consent = 'yes' | 'no' | '';

export class Keeper {
  /** The key of what is kept, and what was last written for it. */
  private readonly written = new Map<Entry, { key: number; work: string }>();
  /** Why a file is not kept. */
  readonly refused = new Map<Entry, string>();
  /** Mended records that wait for the end of their file's first run. */
  private readonly waiting = new Map<Entry, [number, string][]>();
  /** One thing after the other. */
  private queue: Promise<void> = Promise.resolve();

  constructor(
    private readonly files: Files,
    private readonly changed: (change: Change) => void,
  ) {
    addEventListener('storage', ({ key }) => {
      if (key !== ANSWER && key !== null) return;
      if (this.consent !== 'yes') this.forget();
      this.changed('other');
    });
  }

  get consent(): Consent {
    const said = memory()?.getItem(ANSWER);
    return said === 'yes' || said === 'no' ? said : '';
  }

  /** Whether this browser can keep anything. */
  get able(): boolean {
    return memory() !== null && 'indexedDB' in globalThis;
  }

  /** Files that are kept, and their bytes. */
  get held(): { files: number; bytes: number } {
    return { files: this.written.size, bytes: [...this.written.keys()].reduce((sum, { file }) => sum + file.size, 0) };
  }

  /** The answer; no deletes all that was kept. */
  answer(consent: 'yes' | 'no'): void {
    memory()?.setItem(ANSWER, consent);
    if (consent === 'yes') this.follow();
    else {
      this.forget();
      this.next(kept.removeAll);
    }
    this.changed('other');
  }

  /** Whether a file is kept just as it is now. */
  keeps(entry: Entry): boolean {
    return this.written.get(entry)?.work === JSON.stringify(this.workOf(entry));
  }

  /** Writes down what came, changed or went since the last time. */
  follow(): void {
    for (const [entry, records] of this.waiting) {
      if (entry.state !== 'done' && entry.state !== 'failed') continue;
      this.waiting.delete(entry);
      void this.mend(entry, records);
    }
    this.next(() => this.settle());
  }

  /** Puts what is kept back onto the page, as if it had just been dropped. */
  restore(): Promise<void> {
    this.next(async () => {
      if (this.consent !== 'yes') return;
      for (const { key, name, file, spec, edited, mended } of await kept.all()) {
        const entry = this.files.add(file, name, spec || this.files.given);
        entry.edited = edited;
        if (mended.length > 0) this.waiting.set(entry, mended);
        this.written.set(entry, { key, work: JSON.stringify(this.workOf(entry)) });
      }
    });
    return this.queue;
  }

  private next(act: () => Promise<void>): void {
    this.queue = this.queue.then(act).catch((error: Error) => console.error(error));
  }

  private forget(): void {
    this.written.clear();
    this.refused.clear();
  }

  private async settle(): Promise<void> {
    const { entries } = this.files;
    let moved = false;
    for (const [entry, { key }] of this.written) {
      if (entries.includes(entry)) continue;
      if (this.consent === 'yes') await kept.remove(key);
      this.written.delete(entry);
      // There may be room now.
      this.refused.clear();
      moved = true;
    }
    for (const entry of [...entries]) if (this.consent === 'yes' && !this.refused.has(entry)) moved = (await this.write(entry)) || moved;
    if (moved) this.changed('other');
  }

  /** Keeps one file as it is now; whether the list of what is kept is another one. */
  private async write(entry: Entry): Promise<boolean> {
    const work = this.workOf(entry);
    const text = JSON.stringify(work);
    const known = this.written.get(entry);
    if (known?.work === text) return false;
    try {
      if (!known && this.held.bytes + entry.file.size > MOST_BYTES) throw new Error(`all of them together may have ${size(MOST_BYTES)}`);
      if (known) await kept.rewrite(known.key, work);
      const key = known?.key ?? (await kept.add(entry.name, entry.file, work));
      this.written.set(entry, { key, work: text });
    } catch (error) {
      this.refused.set(entry, (error as Error).message);
    }
    return !known;
  }

  private workOf(entry: Entry): kept.Work {
    const spec = entry.draft ?? entry.spec;
    const own = spec === entry.brought || spec === this.files.told.spec ? '' : spec;
    return { spec: own, edited: own !== '' && (entry.edited || entry.draft !== null), mended: this.waiting.get(entry) ?? mendedTexts(entry) };
  }

  /** Judges mended texts once more: what is shown of them is the component's word. */
  private async mend(entry: Entry, records: [number, string][]): Promise<void> {
    const mending = mendingOf(this.files, entry);
    for (const [record, text] of records) await mending?.check(record, text);
    this.changed('all');
  }
}

/** The browser's memory for answers; none where it refuses one. */
function memory(): Storage | null {
  try {
    return localStorage;
  } catch {
    return null;
  }
}
