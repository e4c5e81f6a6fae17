/**
 * The session token of this browser tab. It is kept in sessionStorage, so it ends with the tab and is never
 * shared with another one.
 */
const KEY = "graphmark.sessionToken";

type Listener = () => void;
const listeners = new Set<Listener>();

/** The token, or the empty string when nobody is signed in. */
export function currentToken(): string {
  return sessionStorage.getItem(KEY) ?? "";
}

export function remember(token: string): void {
  const trimmed = token.trim().replace(/^Bearer\s+/i, "");
  if (trimmed === currentToken()) return;
  if (trimmed === "") sessionStorage.removeItem(KEY);
  else sessionStorage.setItem(KEY, trimmed);
  for (const listener of listeners) listener();
}

export function forget(): void {
  remember("");
}

/** Calls `listener` after every change; returns the function that stops it (React's external store contract). */
export function subscribe(listener: Listener): () => void {
  listeners.add(listener);
  return () => listeners.delete(listener);
}
