// Drives the official graphql-sse client in distinct connections mode and prints what it saw as JSON.
// Usage: node sse.mjs URL TOKEN
import { createClient } from "graphql-sse";

const [url, token] = process.argv.slice(2);
const client = createClient({ url, headers: { authorization: `Bearer ${token}` }, retryAttempts: 0 });

const collect = async (payload, most = Infinity) => {
  const seen = [];
  for await (const result of client.iterate(payload)) {
    seen.push(result);
    if (seen.length >= most) break;
  }
  return seen;
};

const report = {
  subscription: await collect({ query: "subscription { count(to: 3) }" }),
  query: await collect({ query: "query ($n: String!) { hello(name: $n) }", variables: { n: "you" } }),
  mutation: await collect({ query: "mutation { bump }" }),
  private: await collect({ query: "subscription { private }" }),
  stopped: await collect({ query: "subscription { endless }" }, 1),
  invalid: (await collect({ query: "subscription { nope }" })).map(({ errors }) => errors[0].extensions.code),
};
client.dispose();

const stranger = createClient({ url, headers: { authorization: "Bearer gms_nobody" }, retryAttempts: 0 });
report.badToken = await new Promise((resolve) =>
  stranger.subscribe({ query: "{ hello }" }, {
    next: () => resolve(null),
    error: (error) => resolve(error.response?.status ?? String(error)),
    complete: () => resolve(null),
  }),
);
console.log(JSON.stringify(report));
