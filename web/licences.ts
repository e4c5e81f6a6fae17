import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join, sep } from "node:path";
import type { Plugin } from "vite";

interface Manifest {
  name?: string;
  version?: string;
  license?: string;
}

/** The folder of the npm package that holds `moduleId`, or null for the project's own code. */
function packageFolder(moduleId: string): string | null {
  const path = moduleId.replace(/^\0/, "").split("?", 1)[0] ?? "";
  const marker = `${sep}node_modules${sep}`;
  const start = path.lastIndexOf(marker);
  if (start < 0) return null;
  const root = path.slice(0, start + marker.length);
  const [first = "", second = ""] = path.slice(root.length).split(sep);
  return join(root, first.startsWith("@") ? join(first, second) : first);
}

function notice(folder: string): string {
  const manifest = JSON.parse(readFileSync(join(folder, "package.json"), "utf8")) as Manifest;
  const texts = readdirSync(folder)
    .filter((name) => /^(licen[cs]e|copying|notice|thirdpartynotices)(\.|-|$)/i.test(name))
    .sort()
    .map((name) => readFileSync(join(folder, name), "utf8").trim());
  const title = `${manifest.name ?? folder} ${manifest.version ?? ""} (${manifest.license ?? "no licence field"})`;
  return [title, "-".repeat(title.length), ...texts].join("\n\n");
}

/**
 * Writes the licence texts of every bundled npm package into one file of the build. Workers are bundled apart
 * from the page: give them `collect`, and the page `write`, which also lists what `collect` saw.
 */
export function licences(fileName: string): { collect: Plugin; write: Plugin } {
  const folders = new Set<string>();
  const remember = (id: string): void => {
    const folder = packageFolder(id);
    if (folder !== null && existsSync(join(folder, "package.json"))) folders.add(folder);
  };
  const collect: Plugin = {
    name: "collect-licences",
    moduleParsed: ({ id }) => remember(id),
  };
  const write: Plugin = {
    name: "write-licences",
    moduleParsed: ({ id }) => remember(id),
    generateBundle() {
      const source = [...folders].sort().map(notice).join("\n\n\n");
      this.emitFile({ type: "asset", fileName, source: `${source}\n` });
    },
  };
  return { collect, write };
}
