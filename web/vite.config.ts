import { defineConfig } from "vite";

import { licences } from "./licences.ts";

const notices = licences("THIRD_PARTY_LICENSES.txt");

// The API serves dist/graphiql under /graphiql/ and returns its index.html for GET /graphql too, so every
// address in the page is absolute.
export default defineConfig({
  base: "/graphiql/",
  build: {
    outDir: "dist/graphiql",
    emptyOutDir: true,
    target: "es2022",
    // An inlined asset would be a data: address, which the page's policy allows only for images and fonts.
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
    // Monaco is one big chunk by nature; the page is loaded from the person's own server.
    chunkSizeWarningLimit: 6000,
    rolldownOptions: {
      onLog(level, log, report) {
        // React's packages mark client modules for servers; there is no server rendering here.
        if (log.code !== "MODULE_LEVEL_DIRECTIVE") report(level, log);
      },
    },
  },
  plugins: [notices.write],
  worker: { format: "es", plugins: () => [notices.collect] },
});
