// Numbers, sizes and problems in words: those of the command line.

import type { Fault, Problem } from './protocol';

const whole = new Intl.NumberFormat('en-US');
const tenths = new Intl.NumberFormat('en-US', { minimumFractionDigits: 1, maximumFractionDigits: 1 });

/** How every whole number of the page is written. */
export function number(value: number): string {
  return whole.format(value);
}

export function count(value: number, one: string, many: string): string {
  return `${number(value)} ${value === 1 ? one : many}`;
}

/** `3 records → 6 rows, one per element of /products`; with a filter what it took, too. */
export function exploded(records: number, made: number, out: number, array: string): string {
  const line = `${count(records, 'record', 'records')} → ${count(made, 'row', 'rows')}, one per element of ${array}`;
  return out < made ? `${line} → ${number(made - out)} filtered → ${count(out, 'row', 'rows')}` : line;
}

/** How every number of bytes is written. */
export function size(bytes: number): string {
  if (bytes < 1024) return `${number(bytes)} B`;
  let value = bytes;
  let unit = 'B';
  for (const next of ['KiB', 'MiB', 'GiB']) {
    if (value < 1024) break;
    value /= 1024;
    unit = next;
  }
  return `${tenths.format(value)} ${unit}`;
}

export function duration(milliseconds: number): string {
  return milliseconds < 1000 ? `${number(Math.round(milliseconds))} ms` : `${tenths.format(milliseconds / 1000)} s`;
}

/** A part of a whole: `37%`. */
export function percent(part: number, all: number): string {
  return `${number(Math.round((100 * part) / all))}%`;
}

/** Of a preview that no other host will make the same. */
export const NOT_COMPARABLE = 'Not comparable: the spec puts where or when the input came from into the output.';

export function short(digest: string): string {
  return digest.slice(0, 12);
}

/** `orders@1.3.0, channel document 5`; the empty text where no release is known. */
export function madeBy(release: string | null | undefined, document: number | null | undefined): string {
  if (!release) return '';
  return document === null || document === undefined ? release : `${release}, channel document ${document}`;
}

/** A share of all objects, counted in thousandths: `5%`, `0.5%`. */
export function share(permille: number): string {
  return `${permille / 10}%`;
}

/** A moment as people write it; `precise` with seconds. */
export function when(moment: string | null, precise = false): string {
  return moment === null ? '' : new Date(moment).toLocaleString(undefined, { dateStyle: 'medium', timeStyle: precise ? 'medium' : 'short' });
}

/** The last step of a path or address. */
export function fileName(uri: string): string {
  return uri.split('/').at(-1) ?? uri;
}

/** Signs that turn the direction of text, or are not seen at all. */
const UNSEEN = /[\u061c\u200b-\u200f\u202a-\u202e\u2060-\u2069\ufeff]/g;

/** A text with such signs written out, so that nothing looks like something else: `⟨U+202E⟩`. */
export function visible(text: string): string {
  return text.replace(UNSEEN, (sign) => `⟨U+${sign.charCodeAt(0).toString(16).toUpperCase().padStart(4, '0')}⟩`);
}

const FAULTS: Record<Fault, string> = {
  input: 'error in the input',
  spec: 'error in the spec',
  limit: 'a limit was passed',
  transform: 'the transform is at fault',
  environment: 'error',
  internal: 'internal error',
};

/** `error in the input: a comma before a closing bracket`. */
export function headline(problem: Problem): string {
  return `${FAULTS[problem.fault]}: ${problem.message}`;
}

/** `orders.json:1:20 (byte 19)`, or nothing. */
export function placeOf({ fault, place }: Problem, file: string): string {
  const name = fault === 'spec' ? 'transform.toml' : file;
  const at = [name, place.line, place.column].filter((part) => part !== undefined).join(':');
  const more = [
    place.offset === undefined ? '' : `byte ${number(place.offset)}`,
    place.record === undefined ? '' : `record ${number(place.record)}`,
    place.path ?? '',
  ].filter((part) => part !== '');
  return more.length > 0 ? `${at} (${more.join(', ')})` : at;
}
