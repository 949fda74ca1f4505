// Values of a result as text, exactly: as the engine writes them.
//
// The one decision to know: they are read from Arrow's buffers and not through its own reading, which makes numbers of
// JavaScript of some of them: integers, decimals and moments are written from their own digits.

import { DataType, type Data, type Field, type Vector } from 'apache-arrow';

const DAY = 86_400;
/** What the engine has for dates and moments that never come, and its opposite. */
const NEVER = { 32: 2n ** 31n - 1n, 64: 2n ** 63n - 1n };

/** The engine's name of a type, in small letters as the Rows view has them. */
export function typeName(type: DataType): string {
  if (DataType.isBool(type)) return 'boolean';
  if (DataType.isInt(type)) return `${type.isSigned ? '' : 'u'}${{ 8: 'tinyint', 16: 'smallint', 32: 'integer', 64: 'bigint' }[type.bitWidth]}`;
  if (DataType.isFloat(type)) return type.precision === 1 ? 'float' : 'double';
  // The sum of whole numbers crosses as this.
  if (DataType.isDecimal(type) && type.precision === 38 && type.scale === 0) return 'hugeint';
  if (DataType.isDecimal(type)) return `decimal(${type.precision},${type.scale})`;
  if (DataType.isUtf8(type)) return 'varchar';
  if (DataType.isBinary(type)) return 'blob';
  if (DataType.isFixedSizeBinary(type)) return 'uhugeint';
  if (DataType.isDate(type)) return 'date';
  if (DataType.isTimestamp(type)) return `timestamp${{ 0: '_s', 1: '_ms', 2: '', 3: '_ns' }[type.unit]}${type.timezone ? ' with time zone' : ''}`;
  if (DataType.isTime(type)) return 'time';
  if (DataType.isInterval(type)) return 'interval';
  if (DataType.isDictionary(type)) return 'enum';
  if (DataType.isList(type)) return `${child(type)}[]`;
  if (DataType.isFixedSizeList(type)) return `${child(type)}[${type.listSize}]`;
  if (DataType.isMap(type)) return `map(${(type.children[0]?.type.children as Field[]).map((field) => typeName(field.type)).join(', ')})`;
  if (DataType.isStruct(type)) return `struct(${(type.children as Field[]).map(({ name, type: inner }) => `${name} ${typeName(inner)}`).join(', ')})`;
  return String(type).toLowerCase().replace(/<.*/, '');
}

function child(type: DataType): string {
  return typeName((type.children as Field[])[0]?.type as DataType);
}

/** Whether values are numbers of words in a list of their own. */
export function hasWords(type: DataType): boolean {
  return DataType.isDictionary(type) || ((type.children ?? []) as Field[]).some(({ type: inner }) => hasWords(inner));
}

/** The value at `index`; null is null. */
export function cellText(vector: Vector, index: number): string | null {
  let at = index;
  for (const data of vector.data) {
    if (at < data.length) return textOf(data, at);
    at -= data.length;
  }
  return null;
}

function textOf(data: Data, at: number): string | null {
  if (DataType.isNull(data.type) || !data.getValid(at)) return null;
  return nested(data, at) ?? moment(data, at) ?? plain(data, at);
}

/** Numbers and texts. */
function plain(data: Data, at: number): string {
  const { type, values } = data;
  if (DataType.isBool(type)) return String(((values[at >> 3] >> (at & 7)) & 1) === 1);
  if (DataType.isFloat(type)) return type.precision === 1 ? single(values[at]) : double(values[at]);
  if (DataType.isDecimal(type)) return decimal(BigInt.asIntN(type.bitWidth, words(data, at, type.bitWidth / 32)), type.scale);
  if (DataType.isFixedSizeBinary(type)) return String(words(data, at, type.byteWidth / 4));
  if (DataType.isUtf8(type)) return new TextDecoder().decode(bytes(data, at));
  if (DataType.isBinary(type)) return [...bytes(data, at)].map((byte) => `\\x${byte.toString(16).padStart(2, '0')}`).join('');
  return String(values[at]);
}

/** Dates and times; null for other types. */
function moment(data: Data, at: number): string | null {
  const { type, values } = data;
  if (DataType.isDate(type)) return never(BigInt(values[at]), 32) ?? date(Number(values[at]));
  if (DataType.isTime(type)) return time(BigInt(values[at]), 6);
  if (DataType.isTimestamp(type)) {
    const ticks = BigInt(values[at]);
    const day = BigInt(DAY) * 10n ** BigInt(3 * type.unit);
    const rest = ((ticks % day) + day) % day;
    return never(ticks, 64) ?? `${date(Number((ticks - rest) / day))} ${time(rest, 3 * type.unit)}${type.timezone ? '+00' : ''}`;
  }
  if (!DataType.isInterval(type)) return null;
  // Months, days, and 64 bits of nanoseconds, which the engine has in microseconds.
  const all = view(data);
  return interval(all.getInt32(16 * at, true), all.getInt32(16 * at + 4, true), all.getBigInt64(16 * at + 8, true) / 1000n);
}

/** Values made of values; null for other types. */
function nested(data: Data, at: number): string | null {
  const { type, children, valueOffsets } = data;
  const inner = (one: Data | undefined, index: number): string => (one && textOf(one, index)) ?? 'NULL';
  const range = (from: number, to: number, write: (index: number) => string): string => Array.from({ length: to - from }, (_, index) => write(from + index)).join(', ');
  if (DataType.isList(type)) return `[${range(valueOffsets[at], valueOffsets[at + 1], (index) => inner(children[0], index))}]`;
  if (DataType.isFixedSizeList(type)) return `[${range(at * type.listSize, (at + 1) * type.listSize, (index) => inner(children[0], index))}]`;
  if (DataType.isMap(type)) {
    const [keys, values] = children[0]?.children ?? [];
    return `{${range(valueOffsets[at], valueOffsets[at + 1], (index) => `${inner(keys, index)}=${inner(values, index)}`)}}`;
  }
  if (DataType.isStruct(type)) return `{${(type.children as Field[]).map(({ name }, index) => `'${name}': ${inner(children[index], at)}`).join(', ')}}`;
  if (!DataType.isUnion(type)) return null;
  const one = children[type.typeIdToChildIndex[data.typeIds[at]] ?? 0];
  return inner(one, DataType.isDenseUnion(type) ? valueOffsets[at] : at);
}

function bytes({ valueOffsets, values }: Data, at: number): Uint8Array {
  return (values as Uint8Array).subarray(valueOffsets[at], valueOffsets[at + 1]);
}

function view({ values }: Data): DataView {
  const { buffer, byteOffset, byteLength } = values as Int32Array;
  return new DataView(buffer, byteOffset, byteLength);
}

/** Words of 32 bits, the lowest first, as a number without a sign. */
function words(data: Data, at: number, count: number): bigint {
  const all = view(data);
  let sum = 0n;
  for (let word = count - 1; word >= 0; word--) sum = (sum << 32n) | BigInt(all.getUint32(4 * (at * count + word), true));
  return sum;
}

/** A double shows that it is one: `25.0`. */
function double(value: number): string {
  const text = Object.is(value, -0) ? '-0' : String(value);
  return /^-?\d+$/.test(text) ? `${text}.0` : text;
}

/** As few digits as tell it from other numbers of 32 bits. */
function single(value: number): string {
  for (let digits = 1; digits < 9; digits++) {
    const short = Number(value.toPrecision(digits));
    if (Math.fround(short) === value) return double(short);
  }
  return double(value);
}

function decimal(unscaled: bigint, scale: number): string {
  const sign = unscaled < 0n ? '-' : '';
  const digits = String(unscaled < 0n ? -unscaled : unscaled).padStart(scale + 1, '0');
  return scale === 0 ? `${sign}${digits}` : `${sign}${digits.slice(0, -scale)}.${digits.slice(-scale)}`;
}

function never(value: bigint, bits: 32 | 64): string | null {
  return value === NEVER[bits] ? 'infinity' : value === -NEVER[bits] ? '-infinity' : null;
}

/** Of days since 1970, also of years that JavaScript's dates do not have (Howard Hinnant's `civil_from_days`). */
function date(days: number): string {
  const shifted = days + 719_468;
  const era = Math.floor(shifted / 146_097);
  const dayOfEra = shifted - era * 146_097;
  const yearOfEra = Math.floor((dayOfEra - Math.floor(dayOfEra / 1460) + Math.floor(dayOfEra / 36_524) - Math.floor(dayOfEra / 146_096)) / 365);
  const dayOfYear = dayOfEra - (365 * yearOfEra + Math.floor(yearOfEra / 4) - Math.floor(yearOfEra / 100));
  const shiftedMonth = Math.floor((5 * dayOfYear + 2) / 153);
  const day = dayOfYear - Math.floor((153 * shiftedMonth + 2) / 5) + 1;
  const month = shiftedMonth < 10 ? shiftedMonth + 3 : shiftedMonth - 9;
  const year = yearOfEra + era * 400 + (month <= 2 ? 1 : 0);
  return `${String(year > 0 ? year : 1 - year).padStart(4, '0')}-${two(month)}-${two(day)}${year > 0 ? '' : ' (BC)'}`;
}

/** Of parts of a second, so many digits of it: `04:05:06.789`. */
function time(ticks: bigint, digits: number): string {
  const scale = 10n ** BigInt(digits);
  const seconds = ticks / scale;
  const rest = digits === 0 ? '' : String(ticks % scale).padStart(digits, '0').replace(/0+$/, '');
  return `${two(seconds / 3600n)}:${two((seconds / 60n) % 60n)}:${two(seconds % 60n)}${rest === '' ? '' : `.${rest}`}`;
}

function interval(months: number, days: number, micros: bigint): string {
  const parts = [[Math.trunc(months / 12), 'year'], [months % 12, 'month'], [days, 'day']] as const;
  const named = parts.filter(([value]) => value !== 0).map(([value, name]) => `${value} ${name}${Math.abs(value) === 1 ? '' : 's'}`);
  if (micros !== 0n || named.length === 0) named.push(`${micros < 0n ? '-' : ''}${time(micros < 0n ? -micros : micros, 6)}`);
  return named.join(' ');
}

function two(value: number | bigint): string {
  return String(value).padStart(2, '0');
}
