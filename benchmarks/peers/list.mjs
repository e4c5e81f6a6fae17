// What the hand-written GraphQL servers share: the schema, the one statement behind its list, and the pool.

import pg from "pg";

const TIMESTAMP = 1184; // timestamptz: as text, since nobody needs a Date on the way to JSON
pg.types.setTypeParser(TIMESTAMP, (text) => text);

export const typeDefs = /* GraphQL */ `
  type Tag { id: ID! name: String! color: String }
  type Collection { id: ID! name: String! }
  type Bookmark {
    id: ID! url: String! title: String! description: String notes: String domain: String!
    isFavorite: Boolean! isArchived: Boolean! isUnread: Boolean!
    addedAt: String! updatedAt: String! version: Int!
    tags: [Tag!]! collections: [Collection!]!
  }
  type Query { bookmarks(first: Int!): [Bookmark!]! colouredBookmarks(first: Int!): [Bookmark!]! }
`;

// Written by hand for what is asked, as an author would who knows the questions: the colour only where it is wanted.
// Of the ways to print JSON this is the one that costs PostgreSQL least.
const printed = (columns, rows) =>
  `array_to_json(ARRAY(SELECT row_to_json(printed) FROM (SELECT ${columns} FROM ${rows}) AS printed))`;
const sql = (tag) => `
  SELECT b.id, b.url, b.title, b.description, b.notes, b.domain, b.is_favorite AS "isFavorite",
    b.is_archived AS "isArchived", b.is_unread AS "isUnread", b.added_at AS "addedAt", b.updated_at AS "updatedAt",
    b.version,
    ${printed(tag, "bookmark_tags l JOIN tags t ON t.id = l.tag_id WHERE l.bookmark_id = b.id")} AS tags,
    ${printed(
      "c.id, c.name",
      "bookmark_collections l JOIN collections c ON c.id = l.collection_id WHERE l.bookmark_id = b.id",
    )} AS collections
  FROM bookmarks b WHERE b.owner_id = $1 AND b.deleted_at IS NULL
  ORDER BY b.added_at DESC, b.id DESC LIMIT $2`;

const owner = process.env.BENCH_OWNER;
const pool = new pg.Pool({ connectionString: process.env.BENCH_DATABASE_URL, max: 10 });

const LIST = { name: "list", text: sql("t.id, t.name") };
const COLOURED = { name: "coloured", text: sql("t.id, t.name, t.color") };

const answer = (statement) => async (_, { first }) => {
  const found = await pool.query({ ...statement, values: [owner, first] });
  return found.rows;
};
export const resolvers = { Query: { bookmarks: answer(LIST), colouredBookmarks: answer(COLOURED) } };
export const port = Number(process.env.BENCH_PORT);
