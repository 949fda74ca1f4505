// Where in a rejected record's text the fault stands.

import type { Quarantined } from '../protocol';
import { fields, type Dialect } from './csv';

/** The place that the message or the path names; none where it is not certain. */
export function spot({ raw, path, message }: Quarantined, csv: (Dialect & { names: string[] }) | null): { start: number; end: number } | null {
  if (csv) return ofField(raw, path, message, csv);
  const column = Number(/at column (\d+)$/.exec(message)?.[1] ?? 0);
  if (column > 0) {
    const characters = [...raw];
    const start = characters.slice(0, column - 1).join('').length;
    return { start, end: start + (characters[column - 1] ?? '').length };
  }
  return ofKey(raw, path);
}

/** The field of the column that the path names. */
function ofField(raw: string, path: string | null, message: string, csv: Dialect & { names: string[] }): { start: number; end: number } | null {
  const name = (path ?? '').replace(/^\//, '').replaceAll('~1', '/').replaceAll('~0', '~');
  const numbered = Number(/^field (\d+) /.exec(message)?.[1] ?? 0);
  const index = numbered > 0 ? numbered - 1 : csv.names.indexOf(name);
  return fields(raw, csv)[index] ?? null;
}

/** The path's last key and its value, where that key is there once. */
function ofKey(raw: string, path: string | null): { start: number; end: number } | null {
  const key = path?.split('/').at(-1);
  const quoted = `"${key}"`;
  const start = key ? raw.indexOf(quoted) : -1;
  if (start < 0 || raw.indexOf(quoted, start + 1) >= 0) return null;
  const value = /^\s*:\s*("(?:[^"\\]|\\.)*"|[^,{}[\]]*)/.exec(raw.slice(start + quoted.length))?.[0] ?? '';
  return { start, end: start + quoted.length + value.length };
}
