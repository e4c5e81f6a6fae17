import { useId, useRef, useState, type ChangeEvent, type SyntheticEvent } from "react";

import { forget, remember } from "./session";
import { PLACEHOLDER } from "./upload";

interface Props {
  token: string;
  file: File | null;
  onFile: (file: File | null) => void;
}

/** The strip above GraphiQL: who speaks, and which file a mutation may carry. */
export function Bar({ token, file, onFile }: Props) {
  return (
    <header className="bar">
      <strong className="bar-name">Graphmark</strong>
      {token === "" ? <SignIn /> : <SignedIn token={token} />}
      <Attachment file={file} onFile={onFile} />
    </header>
  );
}

function SignIn() {
  const [typed, setTyped] = useState("");
  const id = useId();
  const submit = (event: SyntheticEvent): void => {
    event.preventDefault();
    remember(typed);
  };
  return (
    <form className="bar-group" onSubmit={submit}>
      <span className="bar-state" role="status">
        Not signed in
      </span>
      <label htmlFor={id}>Session token</label>
      <input
        id={id}
        type="password"
        autoComplete="off"
        spellCheck={false}
        placeholder="run register or login, or paste one"
        value={typed}
        onChange={(event) => setTyped(event.target.value)}
      />
      <button type="submit" disabled={typed.trim() === ""}>
        Use token
      </button>
    </form>
  );
}

function SignedIn({ token }: { token: string }) {
  return (
    <div className="bar-group">
      <span className="bar-state bar-state-on" role="status">
        Signed in (token ending …{token.slice(-4)}, kept until this tab is closed)
      </span>
      <button type="button" onClick={forget}>
        Sign out
      </button>
    </div>
  );
}

function Attachment({ file, onFile }: Pick<Props, "file" | "onFile">) {
  const input = useRef<HTMLInputElement>(null);
  const choose = (event: ChangeEvent<HTMLInputElement>): void => {
    onFile(event.target.files?.[0] ?? null);
    // The same file chosen again after it changed on disk must be a new choice.
    event.target.value = "";
  };
  return (
    <div className="bar-group bar-right">
      <span className="bar-state">
        {file === null ? "No file attached" : `"${PLACEHOLDER}" is ${file.name} (${file.size.toLocaleString("en")} bytes)`}
      </span>
      <input ref={input} type="file" hidden aria-label="File to attach" onChange={choose} />
      <button type="button" onClick={() => input.current?.click()}>
        Attach file
      </button>
      {file !== null && (
        <button type="button" onClick={() => onFile(null)}>
          Remove
        </button>
      )}
    </div>
  );
}
