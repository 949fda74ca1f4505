// The lake behind the page, when `lakegate serve` serves it.
//
// Not for showing it (`view/lake.ts`). The one decision to know: a static host is never asked: only a page whose head
// says that it is served by the command makes these calls, so that nothing goes out and no console shows a 404.

import type { Following, ShadowReports } from './following';
import type { Problem, Receipt, TableContract } from './protocol';

/** How often an upload is looked at: well below what a person notices, and cheap on the loopback. */
const LOOK_MILLISECONDS = 250;

export interface About {
  version: string;
  lake: string;
  component: string;
  /** The spec that every upload follows; null when each brings its own. */
  spec: string | null;
  release: { name: string; version: string } | null;
  /** Number of the channel document that picked it; none where the server runs one release whatever its channel says. */
  document?: number | null;
  /** Whether there is a registry to ask. */
  releases: boolean;
}

/** What a registry has; only what verifies is among the releases. */
export interface Registry {
  releases: { name: string; version: string; manifest: string; component: string; spec: string }[];
  channels: { name: string; sequence?: number; stable: string | null; canary: string | null; shadow: string | null }[];
  /** Without a version it is the channel that does not verify. */
  refused: { name: string; version: string | null; problem: { message: string } }[];
}

export interface LakeTable {
  table: string;
  rows: number;
  files: number;
  bytes: number;
  contract: string;
  columns: { name: string; type: string }[];
  /** Columns that live in the path. */
  partition_by: { name: string; type: string }[];
  changed: string | null;
}

export interface LakeTables {
  tables: LakeTable[];
  /** Of how many commits, the newest, the sums are; null where they are of all. */
  newest: number | null;
}

export interface LakeCommit {
  pipeline: string;
  source: string;
  name: string;
  generation: number;
  current: boolean;
  done: boolean;
  reason: string;
  committed: string;
  rows: number;
  rejected: number;
  release: string | null;
  document?: number | null;
  as_previewed: boolean | null;
}

export interface LakeQuarantine {
  total: number;
  reasons: { pipeline: string; code: string; path: string | null; message: string; count: number }[];
  records: { source: string; record: number; code: string; path: string | null; message: string; raw: string; truncated: boolean; masked?: boolean }[];
}

/** A source object of which nothing is in the tables. */
export interface LakeFailure {
  pipeline: string;
  source: { uri: string };
  release?: { name: string; version: string; sequence?: number } | null;
  code: string;
  message: string;
  hint: string | null;
  at: string;
}

export interface LakeFailures {
  failures: LakeFailure[];
  /** Where there are more. */
  next: string | null;
}

/** What failed and is meant: all of it, what failed under a release, or one source object. */
export interface Only {
  release?: string;
  source?: string;
}

/** The commit of an upload. */
export interface LakeUpload {
  pipeline: string;
  source: string;
  generation: number;
  reason: string;
  key: string;
  committed: string;
  rows: number;
  rejected: number;
  release?: string | null;
  document?: number | null;
}

export interface Upload {
  name: string;
  state: 'waiting' | 'running' | 'done' | 'failed';
  pass: number;
  read: number;
  total: number;
  result: string | null;
  receipt: Receipt | null;
  commit: LakeUpload | null;
  problem: Problem | null;
}

/** A problem that the server tells. */
export class Refused extends Error {
  constructor(readonly problem: Problem) {
    super(problem.hint ? `${problem.message} (${problem.hint})` : problem.message);
  }
}

/** Whether `lakegate serve` serves this page. */
export function isServed(): boolean {
  return document.querySelector('meta[name="lakegate-serve"]') !== null;
}

export const lake = {
  about: (): Promise<About> => get('about'),
  contracts: async (): Promise<TableContract[]> => (await get<{ tables: TableContract[] }>('contracts')).tables,
  tables: (): Promise<LakeTables> => get('tables'),
  commits: async (limit: number): Promise<LakeCommit[]> => (await get<{ commits: LakeCommit[] }>(`commits?limit=${limit}`)).commits,
  quarantine: (limit: number): Promise<LakeQuarantine> => get(`quarantine?limit=${limit}`),
  releases: (): Promise<Registry> => get('releases'),
  /** The component or the spec of a release. */
  releaseBytes: async (name: string, version: string, what: 'component' | 'spec'): Promise<Uint8Array<ArrayBuffer>> => {
    const answer = await fetch(`api/releases/${encodeURIComponent(name)}/${encodeURIComponent(version)}/${what}`);
    if (!answer.ok) throw refusal(answer.status, await answer.text());
    return new Uint8Array(await answer.arrayBuffer());
  },
  failures: (limit: number): Promise<LakeFailures> => get(`failures?limit=${limit}`),
  /** Puts what failed into the queue again: the numbers to follow it by, and the sources that the server cannot take. */
  takeAgain: async (only: Only): Promise<{ ids: string[]; left: string[] }> => {
    const query = new URLSearchParams({ ...only }).toString();
    const answer = await send('POST', query === '' ? 'api/failures' : `api/failures?${query}`, new Blob([]));
    return { left: [], ...(JSON.parse(answer) as { ids: string[] }) };
  },
  /** Takes the rows of a source object out of the tables again; the generation that does so. */
  retract: async (pipeline: string, source: string): Promise<number> => {
    const answer = await send('POST', `api/retract?${new URLSearchParams({ pipeline, source })}`, new Blob([]));
    return (JSON.parse(answer) as { generation: number }).generation;
  },
  following: (): Promise<Following> => get('following'),
  /** The releases that ran beside, the newest first. */
  shadows: async (): Promise<{ name: string; version: string }[]> => (await get<{ shadows: { name: string; version: string }[] }>('shadows')).shadows,
  reports: (name: string, version: string, limit: number): Promise<ShadowReports> => get(`shadows/${encodeURIComponent(name)}/${encodeURIComponent(version)}?limit=${limit}`),
};

/** Puts a raw file into the lake's raw folder and has it run; the number to follow it by. */
export async function upload(
  { file, name, spec }: { file: Blob; name: string; spec: string },
  receipt: string,
  sent: (bytes: number) => void,
): Promise<string> {
  const query = new URLSearchParams({ receipt });
  if (spec !== '') {
    const kept = await send('POST', 'api/specs', new Blob([spec]));
    query.set('spec', (JSON.parse(kept) as { digest: string }).digest);
  }
  const answer = await send('PUT', `api/raw/${encodeURIComponent(name)}?${query}`, file, {}, sent);
  return (JSON.parse(answer) as { id: string }).id;
}

/** Follows an upload until it is done or has failed. */
export async function follow(id: string, seen: (upload: Upload) => void): Promise<Upload> {
  for (;;) {
    const now = await get<Upload>(`uploads/${encodeURIComponent(id)}`);
    seen(now);
    if (now.state === 'done' || now.state === 'failed') return now;
    await new Promise((resolve) => setTimeout(resolve, LOOK_MILLISECONDS));
  }
}

/** Sends a body and tells how far it is, which `fetch` cannot; the answer's text. */
export function send(method: string, url: string, body: Blob, headers: Record<string, string> = {}, sent: (bytes: number) => void = () => {}): Promise<string> {
  return new Promise((done, fail) => {
    const request = new XMLHttpRequest();
    request.open(method, url);
    for (const [name, value] of Object.entries(headers)) request.setRequestHeader(name, value);
    request.upload.onprogress = ({ loaded }) => sent(loaded);
    request.onerror = () => fail(new Error(`${new URL(url, location.href).host} cannot be reached, or does not allow this page (CORS)`));
    request.onload = () => {
      if (request.status >= 200 && request.status < 300) done(request.responseText);
      else fail(refusal(request.status, request.responseText));
    };
    request.send(body);
  });
}

async function get<T>(call: string): Promise<T> {
  const answer = await fetch(`api/${call}`, { cache: 'no-store' }).catch(() => {
    throw new Error(`${location.host} does not answer: is lakegate serve still running?`);
  });
  const text = await answer.text();
  if (!answer.ok) throw refusal(answer.status, text);
  return JSON.parse(text) as T;
}

/** What a refusal says: a problem as JSON, S3's message in its XML, or the status alone. */
function refusal(status: number, text: string): Error {
  try {
    const { problem } = JSON.parse(text) as { problem?: Problem };
    if (problem) return new Refused(problem);
  } catch {
    // Not ours: below.
  }
  const message = /<Message>([^<]*)<\/Message>/.exec(text)?.[1];
  return new Error(message ? `${message} (HTTP ${status})` : `HTTP ${status}`);
}
