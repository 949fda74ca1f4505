// How the page is bundled.
//
// Not for what goes into it before (`build/`). The one decision to know: relative addresses, so that the page
// works from any folder of any server; and nothing inlined as `data:`, which the page's policy refuses.

import { statSync } from 'node:fs';
import { defineConfig } from 'vite';

/** What the SQL engine's module has to come to: servers that compress it do not tell. */
const engine = statSync(new URL('./node_modules/@duckdb/duckdb-wasm/dist/duckdb-eh.wasm', import.meta.url)).size;

export default defineConfig({
  base: './',
  define: { __ENGINE_BYTES__: engine },
  build: { outDir: 'dist/site', emptyOutDir: true, target: 'es2022', assetsInlineLimit: 0, modulePreload: { polyfill: false } },
  worker: { format: 'es' },
});
