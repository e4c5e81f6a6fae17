/**
 * Uploads by the GraphQL multipart request specification. The variables editor holds JSON, which cannot hold a
 * file, so the string "@file" stands for the file chosen in the bar.
 */
export const PLACEHOLDER = "@file";

type Json = null | boolean | number | string | Json[] | { [key: string]: Json };

/** Copies `value` with each placeholder as null, and puts the paths of the placeholders into `found`. */
function takeOut(value: Json, path: string, found: string[]): Json {
  if (value === PLACEHOLDER) {
    found.push(path);
    return null;
  }
  if (Array.isArray(value)) return value.map((item, index) => takeOut(item, `${path}.${index}`, found));
  if (value !== null && typeof value === "object") {
    return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, takeOut(item, `${path}.${key}`, found)]));
  }
  return value;
}

export interface Request {
  query: string;
  operationName?: string | null;
  variables?: Record<string, unknown>;
}

/** The multipart form for `request`, or null when its variables name no file. */
export function multipartForm(request: Request, file: File | null): FormData | null {
  const found: string[] = [];
  const variables = takeOut((request.variables ?? {}) as Json, "variables", found);
  if (found.length === 0) return null;
  if (file === null) {
    throw new Error(`The variables say "${PLACEHOLDER}", but no file is attached: press "Attach file" first.`);
  }
  const form = new FormData();
  form.append("operations", JSON.stringify({ ...request, variables }));
  form.append("map", JSON.stringify({ 0: found }));
  form.append("0", file, file.name);
  return form;
}
