// What a job puts out: part files as blobs, quarantine lines.
//
// Not for reading them back (`inspect`). The one decision to know: bytes go into blobs at once, which the browser may
// keep on disk, so that a large file's Parquet does not stay in the worker's memory.

import { Sha256 } from '../../dist/made/inspect.js';
import type { Quarantined, Reason } from '../protocol';
import { starred } from './names';

/** Different reasons that are counted: more is no summary any more. */
const REASONS = 1_000;
/** Quarantine bytes kept to show, as the command line does; the report has the full count. */
const QUARANTINE_BYTES = 4 << 20;

export interface MadePart {
  table: string;
  partition: string;
  rows: number;
  bytes: number;
  digest: string;
  blob: Blob;
  /** A number for each row, see `trace.take` of the interface; none where the component has no trace. */
  trace: Blob | null;
}

interface OpenPart {
  table: string;
  partition: string;
  pieces: Blob[];
  trace: Blob[];
  bytes: number;
  hash: Sha256;
}

export class Made {
  readonly parts: MadePart[] = [];
  readonly quarantine: Quarantined[] = [];
  private readonly counted = new Map<string, Reason>();
  quarantineCut = false;
  private quarantineBytes = 0;
  private readonly open = new Map<number, OpenPart>();

  opened(id: number, table: string, partition: string): void {
    this.open.set(id, { table, partition, pieces: [], trace: [], bytes: 0, hash: new Sha256() });
  }

  bytes(id: number, bytes: Uint8Array<ArrayBuffer>): void {
    const part = this.open.get(id);
    if (!part) throw new Error(`the transform wrote into part ${id}, which is not open`);
    part.hash.update(bytes);
    part.bytes += bytes.length;
    part.pieces.push(new Blob([bytes]));
  }

  /** The next of a part's trace. */
  traced(id: number, trace: Uint8Array | undefined): void {
    if (trace && trace.length > 0) this.open.get(id)?.trace.push(new Blob([trace as Uint8Array<ArrayBuffer>]));
  }

  closed(id: number, rows: number, bytes: number): void {
    const part = this.open.get(id);
    if (!part || part.bytes !== bytes) throw new Error(`the transform's account of part ${id} is wrong`);
    this.open.delete(id);
    const { table, partition, pieces, trace, hash } = part;
    const blob = new Blob(pieces, { type: 'application/vnd.apache.parquet' });
    this.parts.push({ table, partition, rows, bytes, digest: hash.hex(), blob, trace: trace.length > 0 ? new Blob(trace) : null });
    hash.free();
  }

  /** Whole JSON lines. */
  rejected(lines: Uint8Array): void {
    for (const line of new TextDecoder().decode(lines).split('\n')) {
      if (line === '') continue;
      const rejected = JSON.parse(line) as Quarantined;
      this.count(rejected);
      this.quarantineBytes += line.length;
      if (this.quarantineBytes > QUARANTINE_BYTES) this.quarantineCut = true;
      else this.quarantine.push(rejected);
    }
  }

  /** Why records were rejected, the commonest reason first. */
  reasons(): Reason[] {
    return [...this.counted.values()].sort((a, b) => b.records - a.records);
  }

  private count({ table, path: exact, code, message, found }: Quarantined): void {
    const path = exact === null ? null : starred(exact);
    const key = JSON.stringify([table, path, code, found]);
    const known = this.counted.get(key);
    if (known) known.records++;
    else if (this.counted.size < REASONS) this.counted.set(key, { table, path, code, message, found, records: 1 });
  }
}
