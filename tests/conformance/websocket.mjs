// Drives the official graphql-ws client and prints what it saw as JSON.
// Usage: node websocket.mjs URL TOKEN
import { createClient } from "graphql-ws";
import WebSocket from "ws";

const [url, token] = process.argv.slice(2);
const clientOf = (connectionParams, options = {}) =>
  createClient({ url, webSocketImpl: WebSocket, connectionParams, retryAttempts: 0, ...options });

const collect = async (client, payload, most = Infinity) => {
  const seen = [];
  for await (const result of client.iterate(payload)) {
    seen.push(result);
    if (seen.length >= most) break;
  }
  return seen;
};

const failure = async (client, payload) => {
  try {
    await collect(client, payload);
    return null;
  } catch (error) {
    return Array.isArray(error)
      ? { errors: error.map(({ extensions }) => extensions.code) }
      : { code: error.code, reason: error.reason };
  }
};

const client = clientOf(async () => ({ authorization: `Bearer ${token}` }));
const report = {
  subscription: await collect(client, { query: "subscription { count(to: 3) }" }),
  query: await collect(client, { query: "query ($n: String!) { hello(name: $n) }", variables: { n: "you" } }),
  mutation: await collect(client, { query: "mutation { bump }" }),
  private: await collect(client, { query: "subscription { private }" }),
  stopped: await collect(client, { query: "subscription { endless }" }, 1),
  invalid: await failure(client, { query: "subscription { nope }" }),
  afterwards: await collect(client, { query: "{ hello }" }),
  badToken: await failure(clientOf({ authorization: "Bearer gms_nobody" }), { query: "{ hello }" }),
};
await client.dispose();

// A connection that breaks: the client comes back by itself and subscribes again.
let socket;
const resilient = clientOf({ authorization: `Bearer ${token}` }, {
  retryAttempts: 3,
  retryWait: async () => {},
  on: { opened: (opened) => (socket = opened) },
});
const resumed = [];
for await (const result of resilient.iterate({ query: "subscription { endless }" })) {
  resumed.push(result.data.endless > 0);
  if (resumed.length === 2) break;
  socket.terminate();
}
await resilient.dispose();
console.log(JSON.stringify({ ...report, resumed }));
