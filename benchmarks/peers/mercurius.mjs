// mercurius on Fastify with graphql-jit, set up as its documentation says for speed.

import Fastify from "fastify";
import mercurius from "mercurius";
import { port, resolvers, typeDefs } from "./list.mjs";

const app = Fastify({ logger: false });
await app.register(mercurius, { schema: typeDefs, resolvers, jit: 1 });
app.get("/health", async () => "ok");
await app.listen({ port, host: "127.0.0.1" });
