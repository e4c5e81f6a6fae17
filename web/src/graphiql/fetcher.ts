import type { Fetcher, FetcherOpts, FetcherParams } from "@graphiql/toolkit";
import { OperationTypeNode } from "graphql";
import { createClient, type Client } from "graphql-ws";

import { readOperation, type Operation } from "./operation";
import { forget, remember } from "./session";
import { multipartForm, type Request } from "./upload";

const ENDPOINT = "/graphql";

function socketAddress(): string {
  const scheme = window.location.protocol === "https:" ? "wss:" : "ws:";
  return `${scheme}//${window.location.host}${ENDPOINT}`;
}

/** Only the variables that the chosen operation declares: one editor may serve several operations. */
function narrow(params: FetcherParams, operation: Operation | null): Request {
  const given = (params.variables ?? {}) as Record<string, unknown>;
  const kept = operation === null ? given : pickKeys(given, operation.variables);
  const operationName = operation === null ? params.operationName : operation.name;
  return {
    query: params.query,
    ...(operationName ? { operationName } : {}),
    ...(Object.keys(kept).length > 0 ? { variables: kept } : {}),
  };
}

function pickKeys(source: Record<string, unknown>, names: ReadonlySet<string>): Record<string, unknown> {
  return Object.fromEntries(Object.entries(source).filter(([name]) => names.has(name)));
}

function headersFor(token: string, opts: FetcherOpts | undefined): Headers {
  const headers = new Headers({ accept: "application/graphql-response+json, application/json;q=0.9" });
  if (token) headers.set("authorization", `Bearer ${token}`);
  // What the person typed in the headers editor wins.
  for (const [name, value] of Object.entries((opts?.headers ?? {}) as Record<string, string>)) headers.set(name, value);
  return headers;
}

async function post(request: Request, headers: Headers, file: File | null): Promise<unknown> {
  const form = multipartForm(request, file);
  if (form === null) headers.set("content-type", "application/json");
  else headers.set("graphql-require-preflight", "1");
  const response = await fetch(ENDPOINT, {
    method: "POST",
    headers,
    body: form ?? JSON.stringify(request),
    credentials: "same-origin",
  });
  const text = await response.text();
  try {
    return JSON.parse(text);
  } catch {
    throw new Error(`${response.status} ${response.statusText}: ${text.slice(0, 500)}`);
  }
}

/**
 * Signing in and out happens by running mutations, so the session follows their answers: a `session.token`
 * (of register, login, verifyTotp, refreshSession) is remembered, an accepted logout forgets it.
 */
function followSession(operation: Operation | null, result: unknown): void {
  if (operation?.type !== OperationTypeNode.MUTATION) return;
  const data = (result as { data?: Record<string, unknown> | null }).data ?? {};
  for (const [key, field] of operation.rootFields) {
    const payload = data[key] as { session?: { token?: unknown } | null; userErrors?: unknown[] } | null | undefined;
    const token = payload?.session?.token;
    if (typeof token === "string" && token !== "") remember(token);
    if (field === "logout" && payload && (payload.userErrors ?? []).length === 0) forget();
  }
}

// GraphiQL shows what answers its introspection when that is no schema.
const SIGN_IN_FIRST = {
  hint: "You are not signed in, so the documentation is not here yet. Run the Register tab, or paste a token above.",
};

/** Before signing in, most servers keep their schema to themselves: a hint helps more than an error. */
function isRefusedIntrospection(params: FetcherParams, token: string, result: unknown): boolean {
  return params.operationName === "IntrospectionQuery" && token === "" && !(result as { data?: unknown }).data;
}

export interface Connection {
  fetcher: Fetcher;
  /** Closes the WebSocket and with it the running subscriptions. */
  dispose(): void;
}

/** A fetcher that speaks for `token` (empty: anonymous); `attachedFile` is asked at each request. */
export function connect(token: string, attachedFile: () => File | null): Connection {
  let socket: Client | null = null;
  const openSocket = (): Client =>
    (socket ??= createClient({
      url: socketAddress(),
      lazy: true,
      retryAttempts: 3,
      connectionParams: token ? { authorization: `Bearer ${token}` } : {},
    }));

  const fetcher: Fetcher = (params, opts) => {
    const operation = readOperation(params.query, params.operationName);
    const request = narrow(params, operation);
    if (operation?.type === OperationTypeNode.SUBSCRIPTION) {
      return openSocket().iterate(request) as unknown as ReturnType<Fetcher>;
    }
    return post(request, headersFor(token, opts), attachedFile()).then(
      (result) => {
        followSession(operation, result);
        return isRefusedIntrospection(params, token, result) ? SIGN_IN_FIRST : result;
      },
      // GraphiQL would show a thrown error with its stack; the sentence alone is what helps.
      (failure: unknown) => ({ errors: [{ message: failure instanceof Error ? failure.message : String(failure) }] }),
    ) as ReturnType<Fetcher>;
  };
  return { fetcher, dispose: () => void socket?.dispose() };
}
