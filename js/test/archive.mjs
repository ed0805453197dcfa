// A database of PGlite as an archive: node archive.mjs TARGET < SCHEMA.sql
import { writeFileSync } from "node:fs";
import { text } from "node:stream/consumers";
import { PGlite } from "@electric-sql/pglite";
import { vector } from "@electric-sql/pglite-pgvector";

const database = await PGlite.create({ extensions: { vector } });
await database.exec(await text(process.stdin));
const archive = await database.dumpDataDir("gzip");
writeFileSync(process.argv[2], Buffer.from(await archive.arrayBuffer()));
await database.close();
process.exit(0);
