// GraphQL Yoga on node:http, with its own caches of parsed and validated documents.

import { createServer } from "node:http";
import { createSchema, createYoga } from "graphql-yoga";
import { port, resolvers, typeDefs } from "./list.mjs";

const yoga = createYoga({
  schema: createSchema({ typeDefs, resolvers }),
  graphiql: false,
  logging: false,
  healthCheckEndpoint: "/health",
});
createServer(yoga).listen(port, "127.0.0.1");
