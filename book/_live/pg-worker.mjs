/* The worker of the playground: one PostgreSQL backend, which does one thing after the other.

   The page sends
     {type: "start"}
     {type: "statements", text, afresh}     SQL as a reader writes it
     {type: "replay", calls, afresh}        messages of asyncpg, as digits
     {type: "messages", text, how, afresh}  one statement; how: "text", "first" or "again"
   With `afresh` there is a new kitchen book first. The worker answers with
     progress  {bytes, of}        what was read of PostgreSQL so far
     ready     {version}
     answer    {answer}           of one statement, as pg-session.mjs gives it
     trip      {call, trip, number, of}
     done      {}
     refused   {text}             what was typed cannot be sent
     failed    {text}             PostgreSQL itself cannot go on */

import { PGlite } from "./pglite/index.js";
import { ask, replay, sendAgain, sendFirst, sendText } from "./pg-session.mjs";
import { statementsOf } from "./pg-statements.mjs";

const HERE = new URL("./", self.location.href);
const CLEAN = "rollback; deallocate all; reset all; drop schema public cascade; create schema public";
const tell = (type, more) => self.postMessage({ type, ...more });

const read = { bytes: 0, of: 0 };
let database;
let kitchenBook;
let prepared = { count: 0, types: {} }; // by statement, the name under which it was prepared

// -- Loading --------------------------------------------------------------------------------------

/** A file that is shipped gzipped, since static hosts differ in what they compress. */
async function unpacked(name, type) {
  const answer = await fetch(new URL(`pglite/${name}.gz`, HERE));
  if (!answer.ok) throw new Error(`${name} is missing (${answer.status})`);
  read.of += Number(answer.headers.get("Content-Length") ?? 0);
  const count = new TransformStream({
    transform(chunk, out) {
      read.bytes += chunk.byteLength;
      tell("progress", read);
      out.enqueue(chunk);
    },
  });
  const body = answer.body.pipeThrough(count).pipeThrough(new DecompressionStream("gzip"));
  return new Response(body, { headers: { "Content-Type": type } });
}

async function script(name) {
  const answer = await fetch(new URL(name, HERE));
  if (!answer.ok) throw new Error(`${name} is missing (${answer.status})`);
  return { sql: await answer.text(), values: [] };
}

async function start() {
  const [pgliteWasmModule, initdbWasmModule, fsBundle, schema, seed] = await Promise.all([
    WebAssembly.compileStreaming(unpacked("pglite.wasm", "application/wasm")),
    WebAssembly.compileStreaming(unpacked("initdb.wasm", "application/wasm")),
    unpacked("pglite.data", "application/octet-stream").then((answer) => answer.blob()),
    script("schema.sql"),
    script("seed.sql"),
  ]);
  database = await PGlite.create({ pgliteWasmModule, initdbWasmModule, fsBundle });
  kitchenBook = [schema, seed];
  await fill();
  const version = await ask(send, { sql: "show server_version", values: [] });
  tell("ready", { version: version.rows[0][0] });
}

const send = (bytes) => database.execProtocolRaw(bytes);

/** The dishes and guests of the bistro, in a schema that is empty. */
async function fill() {
  for (const statement of kitchenBook) {
    const { error } = await ask(send, statement);
    if (error) throw new Error(`The kitchen book cannot be filled: ${error.message}`);
  }
}

async function beginAfresh() {
  const { error } = await ask(send, { sql: CLEAN, values: [] });
  if (error) throw new Error(`The old kitchen book does not go away: ${error.message}`);
  prepared = { count: 0, types: {} };
  await fill();
}

// -- Asking ---------------------------------------------------------------------------------------

async function askAll(text) {
  const statements = statementsOf(text);
  if (!statements.length) throw new SyntaxError("There is no statement to run.");
  for (const statement of statements) tell("answer", { answer: await ask(send, statement) });
}

const bytesOf = (digits) => Uint8Array.from(digits.split(" "), (pair) => parseInt(pair, 16));

async function replayAll(calls) {
  for (const { call, trips } of calls) {
    tellTrips(call, await replay(send, trips.map((messages) => messages.map(bytesOf))));
  }
}

function tellTrips(call, trips) {
  trips.forEach((trip, index) => tell("trip", { call, trip, number: index + 1, of: trips.length }));
}

async function sendOne(text, how) {
  const statements = statementsOf(text);
  if (statements.length !== 1) throw new SyntaxError("Write one statement here.");
  const [statement] = statements;
  if (how === "text") {
    if (statement.values.length) throw new SyntaxError("A text alone carries no values.");
    return tellTrips("", await sendText(send, statement));
  }
  let known = prepared.types[statement.sql];
  if (how === "first") {
    prepared.count += 1;
    known = { name: `yours_${prepared.count}` };
    const { trips, types } = await sendFirst(send, statement, known.name);
    if (types) prepared.types[statement.sql] = { ...known, types };
    return tellTrips("", trips);
  }
  known ??= { name: `yours_${prepared.count + 1}`, types: [] }; // nothing has that name
  return tellTrips("", await sendAgain(send, statement, known.name, known.types));
}

const TASKS = {
  start,
  statements: ({ text }) => askAll(text),
  replay: ({ calls }) => replayAll(calls),
  messages: ({ text, how }) => sendOne(text, how),
};

let before = Promise.resolve(); // a message waits for those before it

async function work(data) {
  try {
    if (data.afresh) await beginAfresh();
    await TASKS[data.type](data);
    if (data.type !== "start") tell("done");
  } catch (error) {
    tell(error instanceof SyntaxError ? "refused" : "failed", { text: error?.message ?? `${error}` });
  }
}

self.addEventListener("message", ({ data }) => {
  before = before.then(() => work(data));
});
