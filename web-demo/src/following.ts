// The channel that the server follows, and what ran beside: what `/api/following` and `/api/shadows` tell.
//
// Not for asking (`lake.ts`) nor for showing it (`view/releases.ts`, `view/shadows.ts`). The one decision to know: the
// names are those of the server's answers, which `lakegate releases --json` and the log use too.

import type { Problem } from './protocol';

/** A release in the channel's document. */
export interface InUse {
  version: string;
  since: string;
}

/** One change of a channel. */
export interface Past {
  sequence: number;
  change: 'promote' | 'canary' | 'shadow' | 'rollback' | 'end_canary' | 'end_shadow';
  release: { version: string };
  /** The stable release after it. */
  stable: { version: string };
  at: string;
  /** Name of the key that signed it. */
  key?: string;
  by?: string;
  reason?: string;
}

/** The document as the registry has it now. */
export interface ChannelDocument {
  name: string;
  sequence: number;
  stable: InUse;
  canary: (InUse & { permille: number }) | null;
  shadow: InUse | null;
  /** The last change first. */
  history: Past[];
}

/** What of a document cannot be used by a host. */
export interface LeftOut {
  role: 'canary' | 'shadow';
  version: string;
  code: string;
  message: string;
}

/** Why a host does not use the newest document. */
export interface Trouble {
  sequence: number;
  code: string;
  message: string;
}

/** What this server has in use. */
export interface Serving {
  channel: string;
  sequence: number;
  /** Since when its document is in use here. */
  since: string;
  stable: string;
  canary: { version: string; permille: number } | null;
  shadow: string | null;
  left_out: LeftOut[];
  trouble: Trouble | null;
}

export interface ChannelEvent {
  /** Grows with each event of this server. */
  number: number;
  at: string;
  what: 'swap_begun' | 'swapped' | 'swap_refused' | 'channel_refused' | 'left_out' | 'canary_aborted' | 'unreachable' | 'back_again';
  channel: string;
  sequence: number;
  release: string;
  code?: string;
  message?: string;
  hint?: string;
}

/** What a host that writes to this lake said last. */
export interface Host {
  pipeline: string;
  at: string;
  host: { channel: string; sequence: number; stable: string; trouble: Trouble | null; left_out?: LeftOut[] };
}

export interface Following {
  /** None where the server runs one release, whatever its channel says. */
  serving: Serving | null;
  document: ChannelDocument | null;
  /** Why there is no document. */
  refused: Problem | null;
  events: ChannelEvent[];
  hosts: Host[];
}

/** What both sides come to: the release that made the commit, and the shadow. */
export type Sides<T> = [T, T];

/** What a shadow would have made of one object. */
export interface ShadowReport {
  source: string;
  generation: number;
  stable: { name: string; version: string; sequence?: number } | null;
  shadow: string;
  same: boolean;
  at: string;
  comparison?: { records: Sides<number>; rejected: Sides<number>; tables: TableSides[] };
  failed?: { code: string; message: string };
}

export interface TableSides {
  table: string;
  rows: Sides<number>;
  columns: { column: string; types: Sides<string | null>; nulls: Sides<number>; checksums: Sides<string>; changed?: number }[];
}

export interface ShadowReports {
  reports: ShadowReport[];
  /** Where there are more. */
  next: string | null;
}
