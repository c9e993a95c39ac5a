"use strict";
// Reads a list of [name, text] from stdin and prints Prisma's own model of it, or what is wrong.
const parser = require("@prisma/prisma-schema-wasm");

let text = "";
process.stdin.setEncoding("utf8");
process.stdin.on("data", (chunk) => (text += chunk));
process.stdin.on("end", () => {
  try {
    const model = JSON.parse(parser.get_dmmf(JSON.stringify({ prismaSchema: JSON.parse(text) })));
    process.stdout.write(JSON.stringify({ model: model.datamodel }));
  } catch (error) {
    process.stdout.write(JSON.stringify({ error: String(error.message || error) }));
  }
});
