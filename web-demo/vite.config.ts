// How the page is bundled.
//
// Not for what goes into it before (`build/`). The one decision to know: relative addresses, so that the page
// works from any folder of any server; and nothing inlined as `data:`, which the page's policy refuses.

import { statSync } from 'node:fs';
import { defineConfig, type Plugin } from 'vite';

/** The transpiler without what it does under Node only: the bundler would ship an empty file for it and warn. */
function transpilerForBrowsers(): Plugin {
  return {
    name: 'transpiler-for-browsers',
    transform: (code, id) =>
      id.includes('js-component-bindgen-component.js') ? code.replace(/^"use components";/, '').replace("await import('node:fs/promises')", 'null') : null,
  };
}

/** What the SQL engine's module has to come to: servers that compress it do not tell. */
const engine = statSync(new URL('./node_modules/@duckdb/duckdb-wasm/dist/duckdb-eh.wasm', import.meta.url)).size;

export default defineConfig({
  base: './',
  define: { __ENGINE_BYTES__: engine },
  build: { outDir: 'dist/site', emptyOutDir: true, target: 'es2022', assetsInlineLimit: 0, modulePreload: { polyfill: false }, rolldownOptions: { checks: { pluginTimings: false } } },
  worker: { format: 'es', plugins: () => [transpilerForBrowsers()] },
});
