// SQL over the preview: an editor, questions to click, the result.
//
// Not for running it (`query/engine.ts`). The one decision to know: one view lives as long as there is something to
// ask, whatever else the page draws, so that text and result are there when a person comes back to the tab; the engine
// is fetched when the tab is first opened and ends with the last preview.

import { h } from '../dom';
import type { Entry } from '../entry';
import type { Table } from '../protocol';
import type { Answer, Engine } from '../query/engine';
import { OF_EXAMPLES, ofTable, type Question } from '../query/questions';
import { save } from '../save';
import { count, duration, number, size } from '../words';
import { code } from './code';
import { rows } from './rows';

export class QueryView {
  private readonly code = code('SQL', 'query-said');
  private readonly said = h('p', { class: 'soft', id: 'query-said', role: 'status' });
  private readonly bar = h('progress', { max: 1, value: 0, 'aria-label': 'Loading the SQL engine' });
  private readonly runs = h('button', { type: 'button', class: 'main', title: 'Ctrl+Enter', onclick: () => void this.run() }, 'Run');
  private readonly stops = h('button', { type: 'button', hidden: true, onclick: () => void this.cancel() }, 'Cancel query');
  private readonly saves = h('span', { class: 'row', hidden: true }, this.saver('csv', 'Save as CSV'), this.saver('parquet', 'Save as Parquet'));
  private readonly asked = h('div', { class: 'questions', role: 'group', 'aria-label': 'Questions to ask' });
  private readonly known = h('ul', { class: 'known' });
  private readonly result = h('div', { class: 'fill result' });
  private readonly element: HTMLElement;

  private tables: Table[] = [];
  private engine: Promise<Engine> | null = null;
  private signature = '';
  /** The tables are being taken into the engine: those of this signature. */
  private showing: { signature: string; stop: AbortController; done: Promise<Engine | null> } | null = null;
  private shown = '';
  private last = '';
  private running = false;

  constructor() {
    const { element, text } = this.code;
    text.addEventListener('keydown', (event) => {
      if (event.key !== 'Enter' || !(event.ctrlKey || event.metaKey)) return;
      event.preventDefault();
      void this.run();
    });
    text.addEventListener('input', () => this.code.number(0));
    this.element = h(
      'div',
      { class: 'fill query' },
      this.asked,
      element,
      h('div', { class: 'row' }, this.runs, this.stops, this.bar, this.said, this.saves),
      h('details', {}, h('summary', {}, 'Tables and columns'), this.known),
      this.result,
    );
  }

  /** Takes the files' previews as they are now; a table's name means the current file's, and another one of that name gets a number. */
  follow(entries: Entry[], current: Entry | null): void {
    const tables = new Map<string, Table>();
    for (const entry of [current, ...entries.filter((one) => one !== current)]) {
      for (const table of entry?.result?.preview.tables ?? []) {
        let { name } = table;
        for (let n = 2; tables.has(name); n++) name = `${table.name}_${n}`;
        tables.set(name, { ...table, name });
      }
    }
    const signature = JSON.stringify([...tables.values()].map(({ name, contractText, parts }) => [name, contractText, parts.map(({ digest }) => digest)]));
    if (signature === this.signature) return;
    this.signature = signature;
    this.tables = [...tables.values()];
    if (this.tables.length === 0) return this.end();
    if (this.element.isConnected) void this.prepare();
  }

  /** The view, made ready to be asked. */
  open(): HTMLElement {
    void this.prepare();
    return this.element;
  }

  /** Ends the engine, and forgets what it made. */
  private end(): void {
    this.showing?.stop.abort();
    void this.engine?.then((engine) => engine.stop()).catch(() => undefined);
    this.engine = null;
    this.shown = '';
    this.result.replaceChildren();
    this.saves.hidden = true;
    this.code.text.value = '';
    this.code.number(0);
  }

  /** The engine with the tables as they are now; none if it cannot start, and then that is said, or if there are others by now. */
  private prepare(): Promise<Engine | null> {
    const { signature, showing } = this;
    if (showing?.signature === signature && !showing.stop.signal.aborted) return showing.done;
    if (!showing && this.engine && this.shown === signature) return this.engine;
    showing?.stop.abort();
    const stop = new AbortController();
    // One after the other: the tables of two at once would be in each other's way.
    const done = Promise.resolve(showing?.done).then(() => this.fill(signature, stop.signal));
    const now = { signature, stop, done };
    this.showing = now;
    this.runs.disabled = true;
    return done.finally(() => {
      if (this.showing !== now) return;
      this.showing = null;
      this.bar.hidden = true;
      this.runs.disabled = this.shown === '';
    });
  }

  private async fill(signature: string, signal: AbortSignal): Promise<Engine | null> {
    if (signal.aborted) return null;
    this.shown = '';
    try {
      if (this.running) await this.cancel();
      const engine = await (this.engine ??= this.start());
      signal.throwIfAborted();
      this.result.replaceChildren();
      this.saves.hidden = true;
      const cuts = await engine.show(this.tables, signal, (name, taken, rows) => {
        this.bar.hidden = false;
        this.bar.value = taken / rows;
        this.said.textContent = `Reading ${name}: ${number(taken)} of ${count(rows, 'row', 'rows')}`;
      });
      await this.offer(engine);
      signal.throwIfAborted();
      this.shown = signature;
      const left = cuts.map(({ name, taken, rows }) => ` Of ${name}, only the first ${number(taken)} of ${count(rows, 'row', 'rows')} are asked: a page has no room for more.`);
      this.say(`DuckDB ${engine.version} is ready; nothing leaves this page.${left.join('')}`);
      return engine;
    } catch (error) {
      if (signal.aborted) return null;
      void this.engine?.then((engine) => engine.stop()).catch(() => undefined);
      this.engine = null;
      this.bar.hidden = true;
      this.fail(`The SQL engine could not start: ${(error as Error).message}`, h('button', { type: 'button', onclick: () => void this.prepare() }, 'Try again'));
      return null;
    }
  }

  private async start(): Promise<Engine> {
    this.result.replaceChildren();
    this.bar.hidden = false;
    this.say('Loading the SQL engine …');
    const { Engine } = await import('../query/engine');
    const engine = await Engine.start((bytes, total) => {
      this.bar.value = bytes / total;
      this.said.textContent = bytes < total ? `Loading the SQL engine: ${size(bytes)} of ${size(total)}` : 'Starting the SQL engine …';
    });
    this.bar.hidden = true;
    return engine;
  }

  /** The questions that can be asked of these tables, and what the tables hold. */
  private async offer(engine: Engine): Promise<void> {
    const fit: Question[] = [];
    for (const question of OF_EXAMPLES) if (await engine.binds(question.sql)) fit.push(question);
    const answered = (table: Table): boolean => fit.some(({ sql }) => new RegExp(`\\b${table.name}\\b`).test(sql));
    const questions = [...fit, ...this.tables.filter((table) => !answered(table)).flatMap(ofTable)];
    this.asked.replaceChildren(
      ...questions.map(({ title, sql }) => h('button', { type: 'button', class: 'chip', onclick: () => this.ask(sql) }, title)),
    );
    this.known.replaceChildren(
      ...this.tables.map((table) =>
        h('li', {}, h('strong', {}, h('code', {}, table.name)), ' ', h('code', {}, table.columns.map(({ name, athena }) => `${name} ${athena}`).join(', '))),
      ),
    );
    const { text } = this.code;
    if (text.value === '' && questions[0]) {
      text.value = questions[0].sql;
      this.code.number(0);
    }
  }

  private ask(sql: string): void {
    this.code.text.value = sql;
    this.code.number(0);
    void this.run();
  }

  private async run(): Promise<void> {
    const sql = this.code.text.value.trim().replace(/;\s*$/, '');
    if (sql === '' || this.running) return;
    const engine = await this.prepare();
    if (!engine) return;
    await this.during(engine, 'Running …', async () => {
      this.result.replaceChildren();
      this.saves.hidden = true;
      const answer = await engine.run(this.code.text.value.replace(/;\s*$/, ''));
      this.last = sql;
      this.show(answer);
    });
  }

  /** Holds the buttons while the engine works; what goes wrong is said in its words. */
  private async during(engine: Engine, doing: string, work: () => Promise<void>): Promise<void> {
    this.running = true;
    this.runs.disabled = true;
    this.stops.hidden = false;
    this.code.number(0);
    this.say(doing);
    try {
      await work();
    } catch (error) {
      const { message, name } = error as Error;
      if (name === 'Cancelled') this.say('Cancelled.');
      else if (this.engine && (await this.engine.catch(() => null)) === engine) this.fail(message);
    } finally {
      this.running = false;
      this.runs.disabled = false;
      this.stops.hidden = true;
    }
  }

  private show(answer: Answer): void {
    const { columns, cut, milliseconds } = answer;
    const time = duration(milliseconds);
    this.say(cut ? `More than ${number(answer.rows)} rows, the first of them are shown · ${time}` : `${count(answer.rows, 'row', 'rows')} · ${time}`);
    this.saves.hidden = columns.length === 0;
    const shown = columns.map(({ name, type }) => ({ name, athena: type, parquet: type, from: '', partition: false }));
    const table = { name: 'the result', columns: shown, rows: answer.rows, parts: [] };
    this.result.replaceChildren(rows(table, (offset, wanted) => Promise.resolve({ columns: answer.cells(offset, wanted), records: null })));
  }

  /** Ends the running query; an engine that does not hear is ended itself, and a new one starts with the next query. */
  private async cancel(): Promise<void> {
    const engine = await this.engine;
    if (!engine || (await engine.cancel())) return;
    void engine.stop();
    this.engine = null;
    this.shown = '';
  }

  private saver(format: 'csv' | 'parquet', label: string): HTMLElement {
    const make = async (): Promise<void> => {
      const engine = await this.prepare();
      if (!engine || this.running) return;
      await this.during(engine, 'Saving …', async () => {
        const { blob, texts } = format === 'csv' ? { blob: await engine.csv(this.last), texts: [] } : await engine.parquet(this.last);
        save(blob, `result.${format}`);
        const as = texts.length > 0 ? ` As text, since no flat column holds its values: ${texts.join(', ')}.` : '';
        this.say(`Saved result.${format}, ${size(blob.size)}.${as}`);
      });
    };
    return h('button', { type: 'button', onclick: () => void make() }, label);
  }

  private say(text: string): void {
    this.said.textContent = text;
  }

  /** An error: its words as they are, and its line marked where they tell it. */
  private fail(message: string, ...more: HTMLElement[]): void {
    this.code.number(Number(/^LINE (\d+):/m.exec(message)?.[1] ?? 0));
    this.say('');
    this.result.replaceChildren(h('div', { class: 'problem', role: 'alert' }, h('pre', { tabindex: 0, 'aria-label': 'Error' }, message), ...more));
  }
}
