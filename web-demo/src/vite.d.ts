/// <reference types="vite/client" />

/** Size of the SQL engine's module; see `vite.config.ts`. */
declare const __ENGINE_BYTES__: number;
