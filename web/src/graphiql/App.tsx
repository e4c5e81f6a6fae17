import { GraphiQL } from "graphiql";
import { useCallback, useEffect, useMemo, useRef, useState, useSyncExternalStore } from "react";

import { Bar } from "./Bar";
import { connect } from "./fetcher";
import { firstSession, NEW_TAB } from "./firstSession";
import { currentToken, subscribe } from "./session";

const TABS_KEY = "graphiql:tabState";

/**
 * The token of a set-up or invitation link (`/setup?token=…`), taken out of the address bar and the history at
 * once. It starts the first session anew, so that its first tab holds the token.
 */
function takeInviteToken(): string | null {
  const token = new URLSearchParams(window.location.search).get("token");
  if (window.location.pathname !== "/setup" || token === null) return null;
  window.history.replaceState(null, "", "/graphql");
  sessionStorage.removeItem(TABS_KEY);
  return token;
}

const tabs = firstSession(takeInviteToken());
// GraphiQL fills the variables editor of the very first tab from initialVariables alone, and initialVariables
// would win over what a returning person left in the editor.
const isFirstVisit = sessionStorage.getItem(TABS_KEY) === null;
const initialVariables = isFirstVisit ? tabs[0]?.variables : undefined;
const initialQuery = isFirstVisit ? tabs[0]?.query : undefined;

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
          defaultTabs={tabs}
          {...(initialVariables === undefined ? {} : { initialVariables })}
          {...(initialQuery === undefined ? {} : { initialQuery })}
          defaultQuery={NEW_TAB}
          defaultEditorToolsVisibility="variables"
          inputValueDeprecation
          schemaDescription
        />
      </main>
    </>
  );
}
