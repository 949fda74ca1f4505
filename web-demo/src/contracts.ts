// Contracts of tables that exist: what a file is previewed against before it is uploaded.
//
// Not for comparing (`view/against.ts`). The one decision to know: a lake's `schema.json` holds the contract's exact
// text, and its digest is checked; an older one only names it, and then the file below `contracts/` is asked for.

import type { TableContract } from './protocol';

/** Larger than any contract of 2,000 columns; what is larger is data. */
const MOST_BYTES = 4 << 20;

/** The contract that a file holds, or null if it holds none; throws what a person is to be told. */
export async function contractOf(file: Blob, name: string): Promise<TableContract | null> {
  if (!name.toLowerCase().endsWith('.json') || file.size > MOST_BYTES) return null;
  const text = await file.text();
  const value = parsed(text);
  if (typeof value?.['table'] !== 'string') return null;
  const table = value['table'];
  if (Array.isArray(value['columns']) && value['version'] === 1) return { table, text };
  if (typeof value['contract'] !== 'string' || !Array.isArray(value['history'])) return null;
  if (typeof value['text'] !== 'string') {
    throw new Error(`this schema.json of ${table} only names its contract: load contracts/${value['contract']}.json from beside it`);
  }
  const digest = await sha256(value['text']);
  if (digest !== null && digest !== value['contract']) throw new Error(`the schema.json of ${table} is damaged: its text has another digest`);
  return { table, text: value['text'] };
}

function parsed(text: string): Record<string, unknown> | null {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : null;
  } catch {
    return null;
  }
}

/** SHA-256 as lower-case hex; null where the browser has none, which is on pages that came over plain HTTP. */
export async function sha256(text: string): Promise<string | null> {
  if (!('subtle' in crypto)) return null;
  const bytes = new Uint8Array(await crypto.subtle.digest('SHA-256', new TextEncoder().encode(text)));
  return [...bytes].map((byte) => byte.toString(16).padStart(2, '0')).join('');
}
