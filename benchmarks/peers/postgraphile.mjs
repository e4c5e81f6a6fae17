// PostGraphile with its Amber preset: the schema is made from the tables, nothing is written by hand.

import { createServer } from "node:http";
import { makePgService } from "postgraphile/adaptors/pg";
import { grafserv } from "postgraphile/grafserv/node";
import { PostGraphileAmberPreset } from "postgraphile/presets/amber";
import { postgraphile } from "postgraphile";

const server = createServer();
const instance = postgraphile({
  extends: [PostGraphileAmberPreset],
  // It offers an order only by columns that lead an index; ours is by the second column of one, for a given owner.
  disablePlugins: ["PgIndexBehaviorsPlugin"],
  pgServices: [
    makePgService({ connectionString: process.env.BENCH_DATABASE_URL, schemas: ["public"], poolConfig: { max: 10 } }),
  ],
  grafserv: { graphiql: false, watch: false },
});
const serv = instance.createServ(grafserv);
await serv.addTo(server);
server.listen(Number(process.env.BENCH_PORT), "127.0.0.1");
