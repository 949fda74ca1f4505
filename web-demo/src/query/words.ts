// What the engine says of errors, and of extensions in the page's words.
//
// The one decision to know: all but the latter stays as the engine says it. Its advice to install something would
// mislead: this page has what it was built with, and asks no other address for more.

const NOT_HERE = 'which this page does not load: nothing comes from elsewhere, and nothing leaves the page.';

/** Throws what the engine threw. */
export function inOwnWords(thrown: unknown): never {
  if (thrown instanceof Error) thrown.message = reworded(thrown.message);
  throw thrown;
}

export function reworded(message: string): string {
  return plain(message)
    .replace(/, but it exists in the (\w+) extension\.\s*Please try installing[^]*?autoload_known_extensions\s*=\s*1;\n?/, `: it is of the $1 extension, ${NOT_HERE}\n`)
    .replace(/An error occurred while trying to automatically install the required extension '(\w+)':\n[^\n]*/, `this needs the $1 extension, ${NOT_HERE}`)
    .replace(/ - file system operations are disabled by configuration/, ': SQL here reads the tables of the preview, and nothing else')
    .replace(/Loading external extensions is disabled through configuration/, `This is of an extension, ${NOT_HERE}`)
    .trimEnd();
}

/** Some errors come as JSON: their kind, and what the engine says otherwise. */
function plain(message: string): string {
  if (!message.startsWith('{"exception_type"')) return message;
  try {
    const { exception_type: type, exception_message: said } = JSON.parse(message) as { exception_type: string; exception_message: string };
    return `${type} Error: ${said}`;
  } catch {
    return message;
  }
}
