// How a file is compressed, by its first bytes.

/** The name of the compression; the empty text where there is none that is read. */
export function compressionOf(head: Uint8Array): '' | 'gzip' | 'zstd' | 'bzip2' | 'zip' {
  const begins = (...bytes: number[]): boolean => bytes.every((byte, at) => head[at] === byte);
  if (begins(0x1f, 0x8b)) return 'gzip';
  if (begins(0x28, 0xb5, 0x2f, 0xfd)) return 'zstd';
  if (begins(0x42, 0x5a, 0x68) && /[1-9]/.test(String.fromCharCode(head[3] ?? 0))) return 'bzip2';
  return begins(0x50, 0x4b, 3, 4) ? 'zip' : '';
}
