// The SQL engine: DuckDB in a worker of its own, over the preview's part files.
//
// Not for what is shown (`view/query.ts`). Two decisions to know. It is the last release of duckdb-wasm with Parquet
// compiled in: later ones load it from another origin when a query needs it, which the page's policy forbids. And its
// worker starts from a blob, so that it has the page's policy on any server, and gets its module from the page, which
// shows how far it came.

import { AsyncDuckDB, DuckDBDataProtocol, VoidLogger, type AsyncDuckDBConnection } from '@duckdb/duckdb-wasm';
import workerUrl from '@duckdb/duckdb-wasm/dist/duckdb-browser-eh.worker.js?url';
import moduleUrl from '@duckdb/duckdb-wasm/dist/duckdb-eh.wasm?url';
import { Table as Result, type RecordBatch } from 'apache-arrow';
import type { Cells, Table } from '../protocol';
import { cellText, typeName } from './cells';
import { text, view } from './views';

/** Rows of a result that are kept to show: what a person scrolls through at most. */
export const MOST_ROWS = 100_000;
/** How long a query may take to hear that it was cancelled. */
const HEAR_MILLISECONDS = 1500;
/** The worker's first message is its module, and a port to say that it cannot start. It prints none of what it answers. */
const PRELUDE = `
console.log = () => {};
const given = new Promise((take) => addEventListener('message', (event) => { event.stopImmediatePropagation(); take(event.data); }, { once: true }));
self.fetch = async () => new Response((await given).module, { headers: { 'content-type': 'application/wasm' } });
addEventListener('unhandledrejection', async (event) => { event.preventDefault(); (await given).port.postMessage(String(event.reason)); });
`;

export interface Answer {
  columns: { name: string; type: string }[];
  rows: number;
  /** True when there are more rows. */
  cut: boolean;
  milliseconds: number;
  cells: (offset: number, count: number) => Cells[];
}

/** The query was cancelled. */
export class Cancelled extends Error {
  override readonly name = 'Cancelled';
}

export class Engine {
  private files: string[] = [];
  private views: string[] = [];
  private giveUp: (() => void) | null = null;

  private constructor(
    private readonly db: AsyncDuckDB,
    private readonly connection: AsyncDuckDBConnection,
    readonly version: string,
  ) {}

  /** Fetches and starts the engine; `progress` hears of the bytes that came. */
  static async start(progress: (bytes: number, total: number) => void): Promise<Engine> {
    const [script, module] = await Promise.all([get(workerUrl).then((response) => response.text()), bytes(moduleUrl, progress)]);
    const url = URL.createObjectURL(new Blob([PRELUDE, script], { type: 'text/javascript' }));
    const worker = new Worker(url);
    const { port1, port2 } = new MessageChannel();
    worker.postMessage({ module, port: port2 }, [module, port2]);
    const db = new AsyncDuckDB(new VoidLogger(), worker);
    try {
      const broken = new Promise<never>((_, fail) => {
        port1.onmessage = ({ data }) => fail(new Error(String(data)));
        worker.addEventListener('error', ({ message }) => fail(new Error(message || 'its worker could not start')));
      });
      await Promise.race([db.instantiate(new URL(moduleUrl, location.href).href), broken]);
      await db.open({ path: ':memory:', query: { castBigIntToDouble: false, castDecimalToDouble: false } });
      return new Engine(db, await db.connect(), await db.getVersion());
    } catch (thrown) {
      await db.terminate();
      throw thrown;
    } finally {
      port1.close();
      URL.revokeObjectURL(url);
    }
  }

  /** Makes the tables its views, instead of those that were. */
  async show(tables: Table[]): Promise<void> {
    for (const name of this.views) await this.connection.query(`DROP VIEW IF EXISTS ${name}`);
    for (const name of this.files) await this.db.dropFile(name);
    this.views = [];
    this.files = [];
    for (const [index, table] of tables.entries()) {
      const { files, sql } = view(table, `t${index}`);
      for (const { name, blob } of files) {
        await this.db.registerFileHandle(name, blob, DuckDBDataProtocol.BROWSER_FILEREADER, false);
        this.files.push(name);
      }
      await this.connection.query(sql);
      this.views.push(`"${table.name}"`);
    }
  }

  /** Whether a query could run: its tables and columns are there. */
  async binds(sql: string): Promise<boolean> {
    try {
      await (await this.connection.prepare(sql)).close();
      return true;
    } catch {
      return false;
    }
  }

  /** Runs a query; throws in the engine's words. */
  async run(sql: string): Promise<Answer> {
    const started = performance.now();
    const batches: RecordBatch[] = [];
    let rows = 0;
    const reader = await this.hearing(this.connection.send(sql));
    await this.hearing(reader.open());
    while (rows <= MOST_ROWS) {
      const { done, value } = await this.hearing(reader.next());
      if (done) break;
      batches.push(value);
      rows += value.numRows;
    }
    const cut = rows > MOST_ROWS;
    if (cut) await this.connection.cancelSent();
    const result = new Result(reader.schema, batches);
    return {
      columns: result.schema.fields.map(({ name, type }) => ({ name, type: typeName(type) })),
      rows: Math.min(rows, MOST_ROWS),
      cut,
      milliseconds: performance.now() - started,
      cells: (offset, count) =>
        result.schema.fields.map((_, index) => {
          const column = result.getChildAt(index);
          return Array.from({ length: count }, (_, row) => (column ? cellText(column, offset + row) : null));
        }),
    };
  }

  /** A query's whole result as a file. */
  async file(sql: string, format: 'csv' | 'parquet'): Promise<Blob> {
    const name = `result.${format}`;
    const how = format === 'csv' ? "FORMAT CSV, HEADER, DELIMITER ','" : 'FORMAT PARQUET';
    try {
      await this.db.registerEmptyFileBuffer(name);
      await this.hearing(this.connection.query(`COPY (SELECT * FROM (${sql})) TO ${text(name)} (${how})`));
      return new Blob([await this.db.copyFileToBuffer(name) as Uint8Array<ArrayBuffer>]);
    } finally {
      await this.db.dropFile(name);
    }
  }

  /** Ends the query that runs. Answers false if the engine does not hear: it is of no more use then. */
  async cancel(): Promise<boolean> {
    const deaf = new Promise<false>((resolve) => setTimeout(() => resolve(false), HEAR_MILLISECONDS));
    const heard = await Promise.race([this.connection.cancelSent().then(() => true, () => true), deaf]);
    this.giveUp?.();
    return heard;
  }

  async stop(): Promise<void> {
    this.giveUp?.();
    await this.db.terminate();
  }

  /** What `work` comes to, unless it is cancelled first. */
  private hearing<T>(work: Promise<T>): Promise<T> {
    const cancelled = new Promise<never>((_, fail) => (this.giveUp = () => fail(new Cancelled('cancelled'))));
    return Promise.race([work, cancelled]).finally(() => (this.giveUp = null));
  }
}

async function get(url: string): Promise<Response> {
  const response = await fetch(url);
  if (!response.ok) throw new Error(`the engine could not be fetched (HTTP ${response.status})`);
  return response;
}

async function bytes(url: string, progress: (bytes: number, total: number) => void): Promise<ArrayBuffer> {
  const { body } = await get(url);
  if (!body) throw new Error('the engine could not be fetched');
  let read = 0;
  const counted = body.pipeThrough(
    new TransformStream<Uint8Array, Uint8Array>({
      transform(chunk, controller) {
        read += chunk.length;
        progress(read, __ENGINE_BYTES__);
        controller.enqueue(chunk);
      },
    }),
  );
  return new Response(counted as ReadableStream<Uint8Array<ArrayBuffer>>).arrayBuffer();
}
