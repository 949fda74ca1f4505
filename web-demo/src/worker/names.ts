// Names that follow from a file's name, and values that follow from a part file's path.
//
// The one decision to know: the command line has the same rules (`source.rs`, `rows.rs`); a preview that named its
// table otherwise would have other digests.

const EXTENSIONS = ['gz', 'gzip', 'zst', 'zstd', 'bz2', 'bzip2', 'zip', 'json', 'ndjson', 'jsonl', 'csv', 'tsv'];
/** Longest stem in a part file's name. */
const STEM_BYTES = 100;

/** The table of a file that no spec names: `Orders 2025.ndjson.gz` becomes `orders_2025`. */
export function defaultTable(file: string): string {
  const name = stem(file)
    .toLowerCase()
    .replace(/[^a-z0-9]+/g, '_')
    .replace(/^_+|_+$/g, '');
  return name === '' ? 'records' : name;
}

/** The file's name without the extensions that tell format and compression. */
export function stem(file: string): string {
  let rest = file;
  for (let dot = rest.lastIndexOf('.'); dot > 0; dot = rest.lastIndexOf('.')) {
    if (!EXTENSIONS.includes(rest.slice(dot + 1).toLowerCase())) break;
    rest = rest.slice(0, dot);
  }
  const kept = [...rest].map((c) => (/[A-Za-z0-9_.-]/.test(c) ? c : '-')).join('');
  return kept.replace(/^[_.-]+/, '').slice(0, STEM_BYTES) || 'input';
}

/** `a=1/b=x%2Fy/` as names and values; Hive's name for null is null. */
export function hive(partition: string): [string, string | null][] {
  return partition
    .split('/')
    .filter((folder) => folder.includes('='))
    .map((folder) => {
      const at = folder.indexOf('=');
      const value = folder.slice(at + 1);
      return [unescape(folder.slice(0, at)), value === '__HIVE_DEFAULT_PARTITION__' ? null : unescape(value)];
    });
}

/** Hive escapes single characters, all of them ASCII; the rest stands as it is. */
function unescape(text: string): string {
  return text.replace(/%([0-9A-Fa-f]{2})/g, (_, hex: string) => String.fromCharCode(parseInt(hex, 16)));
}

/** A pointer with `*` for every place in an array, as contracts have it. */
export function starred(pointer: string): string {
  return pointer.replace(/\/\d+(?=\/|$)/g, '/*');
}
