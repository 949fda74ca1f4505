// The preview's tables as the engine has them: filled from the part files, and kept as long as the preview has them.
//
// Not for what one table is (`tables.ts`). Two decisions to know. Rows come in pieces, one of which is read while the
// engine takes the one before, so that memory holds two besides the tables. And there is a most of what is taken: a page
// that runs out of memory answers nothing, one that says what it left out answers what it can.

import type { AsyncDuckDBConnection } from '@duckdb/duckdb-wasm';
import type { Table } from '../protocol';
import type { Carrier } from './carrier';
import { identifier, KEPT, keyOf, room, sources, view } from './tables';

/** What all tables together may take in the engine, about: a quarter of what its memory can grow to. */
const MOST_BYTES = 1 << 30;

/** A table that was not taken whole. */
export interface Cut {
  name: string;
  taken: number;
  rows: number;
}

/** How far filling came. */
export type Filling = (name: string, taken: number, rows: number) => void;

interface Held {
  id: string;
  taken: number;
  bytes: number;
  /** There was no room for all of it. */
  cut: boolean;
}

export class Shelf {
  private readonly held = new Map<string, Held>();
  private views: string[] = [];
  private last = 0;
  private closed = false;

  constructor(
    private readonly connection: AsyncDuckDBConnection,
    private readonly carrier: Carrier,
  ) {}

  /** Has these tables and no others; answers with those that are not whole. Throws what `signal` says when it is not wanted any more. */
  async show(tables: Table[], signal: AbortSignal, filling: Filling): Promise<Cut[]> {
    for (const name of this.views) await this.query(`DROP VIEW IF EXISTS ${identifier(name)}`);
    this.views = [];
    const wanted = new Set(tables.map(keyOf));
    const gone = [...this.held.keys()].filter((key) => !wanted.has(key));
    // Where others go, there may be room for what there was none for.
    const short = gone.length > 0 ? [...this.held].filter(([key, { cut }]) => cut && wanted.has(key)).map(([key]) => key) : [];
    for (const key of [...gone, ...short]) await this.drop(key);
    const cuts: Cut[] = [];
    for (const table of tables) {
      const { id, taken, cut } = this.held.get(keyOf(table)) ?? (await this.fill(table, signal, filling));
      await this.query(view(table, id));
      this.views.push(table.name);
      if (cut) cuts.push({ name: table.name, taken, rows: table.rows });
    }
    return cuts;
  }

  /** The engine ends: nothing more is asked of it. */
  close(): void {
    this.closed = true;
  }

  private open(): AsyncDuckDBConnection {
    if (this.closed) throw new Error('the SQL engine ended');
    return this.connection;
  }

  private async query(sql: string): Promise<void> {
    await this.open().query(sql);
  }

  private async drop(key: string): Promise<void> {
    await this.query(`DROP TABLE IF EXISTS ${KEPT}.${this.held.get(key)?.id}`);
    this.held.delete(key);
  }

  private async fill(table: Table, signal: AbortSignal, filling: Filling): Promise<Held> {
    const key = keyOf(table);
    const held: Held = { id: `t${++this.last}`, taken: 0, bytes: 0, cut: false };
    const before = [...this.held.values()].reduce((sum, { bytes }) => sum + bytes, 0);
    await this.query(room(table, held.id));
    this.held.set(key, held);
    try {
      await this.carrier.tell({ does: 'open', sources: sources(table) });
      let next = this.carrier.next();
      for (let load = await next; load; load = await next) {
        signal.throwIfAborted();
        held.cut = before + held.bytes + load.bytes > MOST_BYTES;
        if (held.cut) break;
        next = this.carrier.next();
        next.catch(() => undefined);
        filling(table.name, held.taken, table.rows);
        await this.open().insertArrowFromIPCStream(load.stream, { name: held.id, schema: KEPT, create: false });
        held.taken += load.rows;
        held.bytes += load.bytes;
      }
      signal.throwIfAborted();
      return held;
    } catch (thrown) {
      // Half a table is none: it is read anew when it is asked for again.
      await this.drop(key);
      throw thrown;
    }
  }
}
