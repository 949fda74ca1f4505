// The page's side of the worker that carries rows between files and the SQL engine (`carry.ts`).
//
// The one decision to know: what was asked of a worker that ended is answered too, with an error, so that nobody waits
// for ever.

import type { Errand, Load } from './carry';
import workerUrl from './carry.ts?worker&url';

interface Waiting {
  take: (value: never) => void;
  fail: (error: Error) => void;
}

export class Carrier {
  private readonly worker = new Worker(workerUrl, { type: 'module' });
  private readonly waiting = new Map<number, Waiting>();
  private last = 0;

  constructor() {
    this.worker.onmessage = ({ data }: MessageEvent<{ id: number; value?: unknown; message?: string }>) => {
      const { take, fail } = this.waiting.get(data.id) ?? {};
      this.waiting.delete(data.id);
      if (data.message === undefined) take?.(data.value as never);
      else fail?.(new Error(data.message));
    };
    this.worker.onerror = ({ message }) => this.end(message || 'the reader of part files could not start');
  }

  /** Whose answer is null. */
  tell(errand: Extract<Errand, { does: 'open' | 'begin' | 'rows' }>): Promise<null> {
    return this.ask(errand);
  }

  next(): Promise<Load | null> {
    return this.ask({ does: 'next' });
  }

  file(): Promise<Blob> {
    return this.ask({ does: 'end' });
  }

  end(why: string): void {
    this.worker.terminate();
    for (const { fail } of this.waiting.values()) fail(new Error(why));
    this.waiting.clear();
  }

  private ask<T>(errand: Errand): Promise<T> {
    const id = ++this.last;
    return new Promise<T>((take, fail) => {
      this.waiting.set(id, { take, fail });
      this.worker.postMessage({ id, errand });
    });
  }
}
