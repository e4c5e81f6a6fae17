// linkinator as its documentation shows it: node links.mjs PAGE CONCURRENCY checks the links of a page once and prints
// what came out as JSON. Starting Node is not counted.

import { LinkChecker, LinkState } from "linkinator";

const [page, concurrency] = process.argv.slice(2);
const began = performance.now();
const cpu = process.cpuUsage();
const { links } = await new LinkChecker().check({ path: page, concurrency: Number(concurrency) });
const { user, system } = process.cpuUsage(cpu);
const found = links.filter((link) => link.url !== page);
console.log(
  JSON.stringify({
    links: found.length,
    broken: found.filter((link) => link.state === LinkState.BROKEN).length,
    seconds: (performance.now() - began) / 1000,
    cpu_seconds: (user + system) / 1e6,
  }),
);
