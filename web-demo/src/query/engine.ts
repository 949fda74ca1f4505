// The SQL engine: DuckDB in a worker of its own, over its own copy of the preview's rows.
//
// Not for what is shown (`view/query.ts`), nor for filling its tables (`shelf.ts`). Two decisions to know. It reads no
// Parquet: the engine's code for that, as for JSON and time zones, is an extension which it would load from another
// origin; rows reach it as Arrow, and nothing else is within its reach. And its worker starts from a blob, so that it
// has the page's policy on any server, and gets its module from the page, which compiles it while it comes and shows how
// far it came.

import { AsyncDuckDB, VoidLogger, type AsyncDuckDBConnection } from '@duckdb/duckdb-wasm';
import workerUrl from '@duckdb/duckdb-wasm/dist/duckdb-browser-eh.worker.js?url';
import moduleUrl from '@duckdb/duckdb-wasm/dist/duckdb-eh.wasm?url';
import { Table as Result, type AsyncRecordBatchStreamReader, type RecordBatch } from 'apache-arrow';
import type { Cells, Table } from '../protocol';
import { Carrier } from './carrier';
import { cellText, hasWords, typeName } from './cells';
import { buffersOf, layoutOf } from './layouts';
import { Shelf, type Cut, type Filling } from './shelf';
import { identifier, KEPT, text } from './tables';
import { inOwnWords } from './words';

/** Rows of a result that are kept to show: what a person scrolls through at most. */
export const MOST_ROWS = 100_000;
/** How long a query may take to hear that it was cancelled. */
const HEAR_MILLISECONDS = 1500;
/** The worker's first message is its module, compiled, and a port to say that it cannot start. It prints none of what it answers. */
const PRELUDE = `
console.log = () => {};
const given = new Promise((take) => addEventListener('message', (event) => { event.stopImmediatePropagation(); take(event.data); }, { once: true }));
self.fetch = async () => new Response('');
WebAssembly.instantiateStreaming = async (_, imports) => {
  const { module } = await given;
  return { module, instance: await WebAssembly.instantiate(module, imports) };
};
addEventListener('unhandledrejection', async (event) => { event.preventDefault(); (await given).port.postMessage(String(event.reason)); });
`;

/** Files that the engine may write: the page's own, in its memory. */
const RESULT = 'result.csv';
/** Before anything else. Once they are locked, no query changes them. */
const SETTINGS = [
  'SET autoinstall_known_extensions = false',
  'SET autoload_known_extensions = false',
  `SET allowed_paths = [${text(RESULT)}]`,
  'SET enable_external_access = false',
  // They are of the extension for time zones; the clock here is of UTC, as all of a lake's is.
  'CREATE MACRO today() AS CAST(CAST(now() AS TIMESTAMP) AS DATE)',
  'CREATE MACRO current_date() AS CAST(CAST(now() AS TIMESTAMP) AS DATE)',
  'CREATE MACRO current_localtimestamp() AS CAST(now() AS TIMESTAMP)',
  `CREATE SCHEMA ${KEPT}`,
  'SET lock_configuration = true',
];
/** Types whose values a flat file holds as they are; others become texts. */
const FLAT = /^(BOOLEAN|U?(TINYINT|SMALLINT|INTEGER|BIGINT)|HUGEINT|FLOAT|DOUBLE|DECIMAL\(\d+,\d+\)|VARCHAR|UUID|BLOB|DATE|TIME|TIMESTAMP(_MS|_NS)?|TIMESTAMP WITH TIME ZONE)$/;

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
  private readonly carrier = new Carrier();
  private readonly shelf: Shelf;
  private giveUp: (() => void) | null = null;
  private over = false;
  private ended: () => void = () => {};
  /** Rejects when the engine ends: its worker answers nothing any more. */
  private readonly end = new Promise<never>((_, fail) => (this.ended = () => fail(new Cancelled('the SQL engine ended'))));

  private constructor(
    private readonly db: AsyncDuckDB,
    private readonly connection: AsyncDuckDBConnection,
    readonly version: string,
  ) {
    this.shelf = new Shelf(connection, this.carrier);
    this.end.catch(() => undefined);
  }

  /** Fetches and starts the engine; `progress` hears of the bytes that came. */
  static async start(progress: (bytes: number, total: number) => void): Promise<Engine> {
    const [script, module] = await Promise.all([get(workerUrl).then((response) => response.text()), compiled(moduleUrl, progress)]);
    const url = URL.createObjectURL(new Blob([PRELUDE, script], { type: 'text/javascript' }));
    const worker = new Worker(url);
    const { port1, port2 } = new MessageChannel();
    worker.postMessage({ module, port: port2 }, [port2]);
    const db = new AsyncDuckDB(new VoidLogger(), worker);
    try {
      const broken = new Promise<never>((_, fail) => {
        port1.onmessage = ({ data }) => fail(new Error(String(data)));
        worker.addEventListener('error', ({ message }) => fail(new Error(message || 'its worker could not start')));
      });
      await Promise.race([db.instantiate(new URL(moduleUrl, location.href).href), broken]);
      await db.open({ path: ':memory:', query: { castBigIntToDouble: false, castDecimalToDouble: false } });
      const connection = await db.connect();
      for (const setting of SETTINGS) await connection.query(setting);
      return new Engine(db, connection, await db.getVersion());
    } catch (thrown) {
      await db.terminate();
      throw thrown;
    } finally {
      port1.close();
      URL.revokeObjectURL(url);
    }
  }

  /** Takes the tables, instead of those that were; answers with those that it has not taken whole. */
  show(tables: Table[], signal: AbortSignal, filling: Filling): Promise<Cut[]> {
    return Promise.race([this.shelf.show(tables, signal, filling), this.end]);
  }

  /** Whether a query could run: its tables and columns are there. Of an engine that has ended, none could. */
  async binds(sql: string): Promise<boolean> {
    if (this.over) return false;
    const bound = this.connection.prepare(sql).then((statement) => statement.close());
    return Promise.race([bound, this.end]).then(
      () => true,
      () => false,
    );
  }

  /** Runs a query; throws in the engine's words, or in the page's where the engine's would mislead. */
  async run(sql: string): Promise<Answer> {
    const started = performance.now();
    const batches: RecordBatch[] = [];
    let rows = 0;
    let reader = await this.stream(sql);
    const columns = reader.schema.fields.map(({ name, type }) => ({ name, type: typeName(type) }));
    const enums = reader.schema.fields.filter(({ type }) => hasWords(type)).map(({ name }) => identifier(name));
    if (enums.length > 0) {
      // Their words do not come with a stream, only their numbers.
      await this.connection.cancelSent();
      reader = await this.stream(`SELECT * REPLACE (${enums.map((name) => `CAST(${name} AS VARCHAR) AS ${name}`).join(', ')}) FROM (${sql}\n)`);
    }
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
      columns,
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

  /** A query's whole result as CSV. */
  async csv(sql: string): Promise<Blob> {
    try {
      await this.db.registerFileBuffer(RESULT, new Uint8Array());
      await this.query(`COPY (SELECT * FROM (${sql}\n)) TO ${text(RESULT)} (FORMAT CSV, HEADER, DELIMITER ',', USE_TMP_FILE false)`);
      return new Blob([(await this.db.copyFileToBuffer(RESULT)) as Uint8Array<ArrayBuffer>]);
    } finally {
      await this.db.dropFile(RESULT);
    }
  }

  /** A query's whole result as Parquet, and the columns that are texts in it because no flat column holds their values. */
  async parquet(sql: string): Promise<{ blob: Blob; texts: string[] }> {
    const described = (await this.query(`DESCRIBE SELECT * FROM (${sql}\n)`)).toArray();
    const columns = described.map((row) => ({ name: String(row['column_name']), flat: FLAT.test(String(row['column_type'])) }));
    const selected = columns.map(({ name, flat }) => (flat ? identifier(name) : `CAST(${identifier(name)} AS VARCHAR) AS ${identifier(name)}`));
    const reader = await this.stream(`SELECT ${selected.join(', ')} FROM (${sql}\n)`);
    const fields = reader.schema.fields;
    await this.carrier.tell({ does: 'begin', names: fields.map(({ name }) => name), layouts: fields.map(({ type }) => layoutOf(type) ?? String(type)) });
    for (;;) {
      const { done, value } = await this.hearing(reader.next());
      if (done) break;
      await this.hearing(this.carrier.tell({ does: 'rows', columns: (value as RecordBatch).data.children.map(buffersOf) }));
    }
    return { blob: await this.hearing(this.carrier.file()), texts: columns.filter(({ flat }) => !flat).map(({ name }) => name) };
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
    this.over = true;
    this.ended();
    this.shelf.close();
    this.carrier.end('the SQL engine ended');
    await this.db.terminate();
  }

  /** A result batch by batch, as the engine makes it. */
  private async stream(sql: string): Promise<AsyncRecordBatchStreamReader> {
    const reader = await this.hearing(this.connection.send(sql, true));
    await this.hearing(reader.open());
    return reader;
  }

  private query(sql: string): Promise<Result> {
    return this.hearing(this.connection.query(sql));
  }

  /** What `work` comes to, unless it is cancelled first. */
  private hearing<T>(work: Promise<T>): Promise<T> {
    const cancelled = new Promise<never>((_, fail) => (this.giveUp = () => fail(new Cancelled('cancelled'))));
    return Promise.race([work.catch(inOwnWords), cancelled]).finally(() => (this.giveUp = null));
  }
}

async function get(url: string): Promise<Response> {
  const response = await fetch(url);
  if (!response.ok) throw new Error(`the engine could not be fetched (HTTP ${response.status})`);
  return response;
}

async function compiled(url: string, progress: (bytes: number, total: number) => void): Promise<WebAssembly.Module> {
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
  return WebAssembly.compileStreaming(new Response(counted as ReadableStream<Uint8Array<ArrayBuffer>>, { headers: { 'content-type': 'application/wasm' } }));
}
