import { Kind, parse, type DocumentNode, type OperationDefinitionNode, type OperationTypeNode } from "graphql";

/** What must be known of a document before it is sent: the one operation that will run. */
export interface Operation {
  type: OperationTypeNode;
  name: string | undefined;
  /** Names of the variables it declares. */
  variables: ReadonlySet<string>;
  /** Response key to field name of its root fields (fragments at the root are not followed). */
  rootFields: ReadonlyMap<string, string>;
}

function pick(document: DocumentNode, operationName: string | null | undefined): OperationDefinitionNode | null {
  const all = document.definitions.filter((node) => node.kind === Kind.OPERATION_DEFINITION);
  // Right after a change of tabs GraphiQL may still name the operation of the tab before.
  const only = all.length === 1 ? (all[0] ?? null) : null;
  return only ?? all.find((node) => node.name?.value === operationName) ?? null;
}

/** The operation that will run, or null when the text is broken or ambiguous: the server then says what is wrong. */
export function readOperation(query: string, operationName?: string | null): Operation | null {
  let document: DocumentNode;
  try {
    document = parse(query, { noLocation: true });
  } catch {
    return null;
  }
  const node = pick(document, operationName);
  if (node === null) return null;
  const rootFields = new Map<string, string>();
  for (const selection of node.selectionSet.selections) {
    if (selection.kind === Kind.FIELD) {
      rootFields.set(selection.alias?.value ?? selection.name.value, selection.name.value);
    }
  }
  return {
    type: node.operation,
    name: node.name?.value,
    variables: new Set((node.variableDefinitions ?? []).map((variable) => variable.variable.name.value)),
    rootFields,
  };
}
