import "graphiql/setup-workers/vite";

import "graphiql/style.css";
import "./page.css";

import { createRoot } from "react-dom/client";

import { App } from "./App";

const root = document.getElementById("graphiql");
if (root === null) throw new Error("index.html has no #graphiql element");
createRoot(root).render(<App />);
