// Validates the description of the control interface, and the answers of a running daemon against it: node openapi.mjs SOCKET.
import { createRequire } from "node:module";
import { request } from "node:http";
import { fileURLToPath } from "node:url";

const require = createRequire(fileURLToPath(new URL("../../artifacts/browser/package.json", import.meta.url)));
const parser = require("@apidevtools/swagger-parser");
const { default: Ajv } = require("ajv/dist/2020.js");
const { default: addFormats } = require("ajv-formats");

/** Asks the daemon. */
const ask = (method, path) => new Promise((resolve, reject) => {
  const one = request({ socketPath: process.argv[2], method, path, headers: { connection: "close" } }, answer => {
    let text = "";
    answer.setEncoding("utf8").on("data", piece => { text += piece; }).on("end", () => resolve({ status: answer.statusCode, type: answer.headers["content-type"], text }));
  });
  one.on("error", reject).end();
});

const { text } = await ask("GET", "/openapi.json");
const description = JSON.parse(text);
await parser.validate(JSON.parse(text));

const ajv = new Ajv({ strict: false, allErrors: true });
addFormats(ajv);
ajv.addSchema({ $id: "listend", ...description });

/** Nothing is written that the schema does not name. */
function close(schema) {
  if (schema && typeof schema === "object") {
    if (schema.properties && schema.type === "object") {
      schema.additionalProperties = false;
    }
    Object.values(schema).forEach(close);
  }
}
close(description.components.schemas);

const faults = [];
async function check(method, path, pattern, media) {
  const answer = await ask(method, path);
  const response = description.paths[pattern][method.toLowerCase()].responses[answer.status];
  const type = media ?? answer.type.split(";")[0];
  const schema = response?.content[type]?.schema;
  if (!schema || (media && !answer.type.startsWith(media))) {
    faults.push(`${method} ${path}: ${answer.status} ${answer.type} is not described`);
    return;
  }
  const validate = ajv.compile(JSON.parse(JSON.stringify(schema).replaceAll("#/components", "listend#/components")));
  const documents = type === "application/x-ndjson" ? answer.text.split("\n").filter(line => line !== "").map(line => JSON.parse(line))
    : type === "text/event-stream" ? [...answer.text.matchAll(/^data: (.*)$/gm)].map(match => JSON.parse(match[1]))
    : type === "text/plain" ? [answer.text] : [JSON.parse(answer.text)];
  for (const document of documents) {
    if (!validate(document)) {
      faults.push(`${method} ${path}: ${ajv.errorsText(validate.errors).slice(0, 800)}`);
      return;
    }
  }
}

const NAMED = { "/v1/services/{name}": "app", "/v1/listeners/{name}": "web" };
for (const [pattern, operations] of Object.entries(description.paths)) {
  const name = Object.entries(NAMED).find(([start]) => pattern.startsWith(start))?.[1];
  const path = pattern.replace("{name}", name);
  if (operations.get && pattern !== "/metrics") {
    await check("GET", pattern === "/v1/events" ? `${path}?follow=false` : path, pattern);
    await check("GET", `${path}?follow=x`, pattern);
  }
  if (pattern.includes("{name}")) {
    await check(operations.get ? "GET" : "POST", pattern.replace("{name}", "none"), pattern);
  }
}
await check("POST", "/v1/services/app/scale?workers=2", "/v1/services/{name}/scale");
await check("POST", "/v1/services/app/restart?wait=true", "/v1/services/{name}/restart");
await check("POST", "/v1/services/app/signal?signal=WINCH", "/v1/services/{name}/signal");
await check("POST", "/v1/services/app/promote", "/v1/services/{name}/promote");
await check("POST", "/v1/services/app/stop", "/v1/services/{name}/stop");
await check("POST", "/v1/reload?dry_run=true", "/v1/reload");
if (faults.length > 0) {
  console.error(faults.join("\n"));
  process.exit(1);
}
console.log(`${Object.keys(description.paths).length} paths`);
