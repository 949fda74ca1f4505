// How the page is bundled.
//
// Not for what goes into it before (`build/`). The one decision to know: relative addresses, so that the page
// works from any folder of any server; and nothing inlined as `data:`, which the page's policy refuses.

import { defineConfig } from 'vite';

export default defineConfig({
  base: './',
  build: { outDir: 'dist/site', emptyOutDir: true, target: 'es2022', assetsInlineLimit: 0, modulePreload: { polyfill: false } },
  worker: { format: 'es' },
});
