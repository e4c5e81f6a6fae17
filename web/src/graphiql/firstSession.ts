import { PLACEHOLDER } from "./upload";

interface Tab {
  query: string;
  variables?: string;
}

function json(value: unknown): string {
  return JSON.stringify(value, null, 2);
}

/** A first session, one tab a step. GraphiQL shows them to a browser that has never been here. */
export const FIRST_SESSION: Tab[] = [
  {
    query: `# Welcome to Graphmark: one graph of all your links.
#
# The tabs above are a first session, left to right.
# Ctrl+Enter (Cmd+Enter on a Mac) runs a tab.
# The book at the upper left is the documentation.
#
# 1. Make an account: change the address and the
#    password in the variables below, then run this.
#    The bar at the top keeps the session token.
mutation Register($input: RegisterInput!) {
  register(input: $input) {
    session { token expiresAt }
    user { id email }
    userErrors { code message field }
  }
}
`,
    variables: json({
      input: {
        email: "you@example.com",
        password: "change this long sentence",
        name: "You",
      },
    }),
  },
  {
    query: `# Instead of 1, when you have an account already
#    (the administrator's set-up page opens one, too).
mutation Login($input: LoginInput!) {
  login(input: $input) {
    session { token expiresAt }
    user { id email role }
    userErrors { code message }
  }
}
`,
    variables: json({ input: { email: "you@example.com", password: "" } }),
  },
  {
    query: `# 2. Who am I? (null when nobody is signed in.)
query Viewer {
  viewer { id email name }
}
`,
  },
  {
    query: `# 3. Keep a link. Tags are names, nested by "/";
#    a new one is made when it is first used.
mutation CreateBookmark($input: CreateBookmarkInput!) {
  createBookmark(input: $input) {
    created
    bookmark { id url title addedAt tags { path } }
    userErrors { code message field }
  }
}
`,
    variables: json({
      input: { url: "https://graphql.org/learn/", title: "Learn GraphQL", tags: ["reading/graphql"] },
    }),
  },
  {
    query: `# 4. Bring your bookmarks: export them from your
#    browser as an HTML file, choose it with
#    "Attach file" at the upper right, then run this.
#    "${PLACEHOLDER}" stands for the attached file.
mutation UploadImport($input: UploadImportInput!) {
  uploadImport(input: $input) {
    upload { id detectedFormat }
    userErrors { code message field }
  }
}
`,
    variables: json({ input: { file: PLACEHOLDER } }),
  },
  {
    query: `# 5. Start the import: paste the upload's id
#    from the tab before.
mutation StartImport($input: StartImportInput!) {
  startImport(input: $input) {
    import { id status task { id } }
    userErrors { code message field }
  }
}
`,
    variables: json({ input: { uploadId: "" } }),
  },
  {
    query: `# 6. Watch it live: paste the import's id. It ends
#    by itself when the import does.
subscription ImportProgress($importId: ID!) {
  importProgress(importId: $importId) {
    cursor
    import {
      status progress
      total processed created merged skipped errors
    }
  }
}
`,
    variables: json({ importId: "" }),
  },
  {
    query: `# 7. Find something again.
query Search($query: String!) {
  search(query: $query, mode: FULL_TEXT, first: 10) {
    nodes {
      score
      bookmark { id url title }
      snippets { field html }
    }
  }
}
`,
    variables: json({ query: "graphql" }),
  },
  {
    query: `# 8. The folders of the file are collections now.
query Collections {
  collections(first: 50) {
    nodes { id name bookmarkCount parent { name } }
    pageInfo { hasNextPage endCursor }
  }
}
`,
  },
  {
    query: `# 9. Let agents work: check every link, read the
#    pages, propose tags, make them findable by meaning.
#    "query" takes what the search takes; without
#    it, they work on all bookmarks.
mutation StartWorkflow($input: StartWorkflowInput!) {
  startWorkflow(input: $input) {
    task { id workflow status }
    userErrors { code message field }
  }
}
`,
    variables: json({ input: { workflow: "REPROCESS" } }),
  },
  {
    query: `# 10. Watch it live: paste the task's id. Each step
#     counts what is done, failed and skipped.
subscription TaskUpdated($taskId: ID!) {
  taskUpdated(taskId: $taskId) {
    status progress currentAgent cursor
    task {
      steps { agent status total done failed skipped }
    }
  }
}
`,
    variables: json({ taskId: "" }),
  },
];

/** What a new tab starts with. */
export const NEW_TAB = `query {
  viewer { id email }
}
`;
