// The text of a worker for a component that the page was not built with.
//
// The one decision to know: such a worker runs from a `blob:` address, whose text is the glue and an import of the
// page's own worker script. So no policy has to allow more scripts than the page's, and glue that was made in the page
// can reach what its worker holds and nothing of another.

/** Where the glue leaves its entry for the worker's script. */
export const GLUE = 'lakegateGlue';

/** `script` is the address of `worker.ts` as built. */
export function scriptOf(glue: string, script: string): string {
  return `import ${JSON.stringify(script)};\n${glue}\nself.${GLUE} = instantiate;\n`;
}
