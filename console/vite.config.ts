import { defineConfig } from "vite";

/** The page is committed where the service and the wheel have it; names without a hash keep its history readable. */
export default defineConfig({
  base: "./",
  oxc: { jsx: { runtime: "automatic", importSource: "preact" } },
  // The page uses no keys: without their cryptography it is 47 kB smaller.
  resolve: { alias: { "@nats-io/nkeys": new URL("src/broker/nokeys.ts", import.meta.url).pathname } },
  build: {
    outDir: "../services/operator_console/static",
    emptyOutDir: true,
    target: "es2023",
    modulePreload: false,
    assetsInlineLimit: 0,
    license: { fileName: "licences.md" },
    rolldownOptions: {
      output: { entryFileNames: "page.js", chunkFileNames: "[name].js", assetFileNames: "[name][extname]" },
    },
  },
});
