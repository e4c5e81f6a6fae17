import { GraphiQL } from "graphiql";
import { useCallback, useEffect, useMemo, useRef, useState, useSyncExternalStore } from "react";

import { Bar } from "./Bar";
import { connect } from "./fetcher";
import { FIRST_SESSION, NEW_TAB } from "./firstSession";
import { currentToken, subscribe } from "./session";

// GraphiQL fills the variables editor of the very first tab from initialVariables alone, and initialVariables
// would win over what a returning person left in the editor.
const isFirstVisit = sessionStorage.getItem("graphiql:tabState") === null;
const initialVariables = isFirstVisit ? FIRST_SESSION[0]?.variables : undefined;

export function App() {
  const token = useSyncExternalStore(subscribe, currentToken);
  const [file, setFile] = useState<File | null>(null);
  const attached = useRef<File | null>(null);
  const attach = useCallback((chosen: File | null) => {
    attached.current = chosen;
    setFile(chosen);
  }, []);

  // A new token means a new fetcher, and a new fetcher makes GraphiQL read the schema again: what may be
  // introspected depends on who asks.
  const connection = useMemo(() => connect(token, () => attached.current), [token]);
  useEffect(() => connection.dispose, [connection]);

  return (
    <>
      <Bar token={token} file={file} onFile={attach} />
      <main className="graphiql-frame">
        <GraphiQL
          fetcher={connection.fetcher}
          // Variables hold passwords (register, login): drafts and history end with the tab, like the token.
          storage={window.sessionStorage}
          defaultTabs={FIRST_SESSION}
          {...(initialVariables === undefined ? {} : { initialVariables })}
          defaultQuery={NEW_TAB}
          defaultEditorToolsVisibility="variables"
          inputValueDeprecation
          schemaDescription
        />
      </main>
    </>
  );
}
