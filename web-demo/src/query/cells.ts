// Values of a result as text, exactly: as the engine writes them.
//
// The one decision to know: nothing goes through a number that could round it; integers and decimals are written
// from their own digits.

import { DataType, type Vector } from 'apache-arrow';

/** The engine's name of a type, in small letters as the Rows view has them. */
export function typeName(type: DataType): string {
  if (DataType.isBool(type)) return 'boolean';
  if (DataType.isInt(type)) return { 8: 'tinyint', 16: 'smallint', 32: 'integer', 64: 'bigint' }[type.bitWidth];
  if (DataType.isFloat(type)) return 'double';
  // The sum of whole numbers crosses as this.
  if (DataType.isDecimal(type) && type.precision === 38 && type.scale === 0) return 'hugeint';
  if (DataType.isDecimal(type)) return `decimal(${type.precision},${type.scale})`;
  if (DataType.isUtf8(type)) return 'varchar';
  if (DataType.isDate(type)) return 'date';
  if (DataType.isTimestamp(type)) return type.timezone ? 'timestamp with time zone' : 'timestamp';
  if (DataType.isTime(type)) return 'time';
  return String(type).toLowerCase();
}

/** The value at `index`; null is null. */
export function cellText(vector: Vector, index: number): string | null {
  const type = vector.type as DataType;
  // A timestamp read as a number of milliseconds would lose its microseconds.
  const value: unknown = DataType.isTimestamp(type) ? raw(vector, index) : vector.get(index);
  return value === null ? null : textOf(value, type);
}

function textOf(value: unknown, type: DataType): string {
  if (value === null || value === undefined) return 'NULL';
  if (DataType.isDecimal(type)) return decimal(value as Uint32Array, type.scale);
  if (DataType.isTimestamp(type)) return timestamp(value as bigint);
  if (DataType.isDate(type)) return (value instanceof Date ? value : new Date(Number(value))).toISOString().slice(0, 10);
  if (DataType.isTime(type)) return time(BigInt(value as bigint | number));
  if (DataType.isFloat(type)) return double(value as number);
  if (DataType.isBinary(type)) return [...(value as Uint8Array)].map((byte) => `\\x${byte.toString(16).padStart(2, '0')}`).join('');
  if (DataType.isList(type)) {
    const list = value as Vector;
    return `[${Array.from({ length: list.length }, (_, index) => cellText(list, index) ?? 'NULL').join(', ')}]`;
  }
  if (DataType.isStruct(type)) {
    const pairs = Object.entries((value as { toJSON: () => object }).toJSON());
    return `{${pairs.map(([name, one]) => `'${name}': ${textOf(one, type.children.find((child) => child.name === name)?.type as DataType)}`).join(', ')}}`;
  }
  return String(value);
}

/** The 64 bits of a value; null where there is none. */
function raw(vector: Vector, index: number): bigint | null {
  let at = index;
  for (const chunk of vector.data) {
    if (at < chunk.length) return chunk.getValid(at) ? BigInt64Array.from([wide(chunk.values as BigInt64Array | Int32Array, at)])[0] ?? null : null;
    at -= chunk.length;
  }
  return null;
}

/** One of 64 bits out of a buffer that may be of halves. */
function wide(values: BigInt64Array | Int32Array, at: number): bigint {
  if (values instanceof BigInt64Array) return values[at] ?? 0n;
  return (BigInt(values[2 * at + 1] ?? 0) << 32n) | BigInt((values[2 * at] ?? 0) >>> 0);
}

/** A double shows that it is one: `25.0`. */
function double(value: number): string {
  const plain = Object.is(value, -0) ? '-0' : String(value);
  return /^-?\d+$/.test(plain) ? `${plain}.0` : plain;
}

/** Words of 32 bits, the lowest first, in two's complement. */
function decimal(words: Uint32Array, scale: number): string {
  const bits = BigInt(32 * words.length);
  const digits = BigInt.asIntN(Number(bits), words.reduceRight((sum, word) => (sum << 32n) | BigInt(word), 0n));
  const sign = digits < 0n ? '-' : '';
  const plain = String(digits < 0n ? -digits : digits).padStart(scale + 1, '0');
  return scale === 0 ? `${sign}${plain}` : `${sign}${plain.slice(0, -scale)}.${plain.slice(-scale)}`;
}

/** Microseconds since 1970, as the engine writes them: `2025-01-03 04:05:06.789`. */
function timestamp(micros: bigint): string {
  const day = micros / 86_400_000_000n - (micros % 86_400_000_000n < 0n ? 1n : 0n);
  const date = new Date(Number(day) * 86_400_000);
  if (Number.isNaN(date.getTime())) return String(micros);
  return `${date.toISOString().slice(0, -14)} ${time(micros - day * 86_400_000_000n)}`;
}

function time(micros: bigint): string {
  const two = (value: bigint): string => String(value).padStart(2, '0');
  const seconds = micros / 1_000_000n;
  const rest = String(micros % 1_000_000n).padStart(6, '0').replace(/0+$/, '');
  return `${two(seconds / 3600n)}:${two((seconds / 60n) % 60n)}:${two(seconds % 60n)}${rest === '' ? '' : `.${rest}`}`;
}
