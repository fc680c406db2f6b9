/* A session with one PostgreSQL backend. `send` takes bytes and promises the bytes of the answer.

   Everything the page shows of an answer is read from its messages. */

import {
  RECEIVED,
  SENT,
  asInt4,
  asText,
  bind,
  columnsOf,
  describe,
  execute,
  fieldsOf,
  flush,
  hex,
  meaning,
  messages,
  parse,
  query,
  rowOf,
  sync,
  textOf,
  typesOf,
} from "./pg-messages.mjs";

const INT4 = 23;
const MOST_ROWS = 200; // a page with more of them is slow, and nobody reads it

function joined(parts) {
  const whole = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0));
  let at = 0;
  for (const part of parts) {
    whole.set(part, at);
    at += part.length;
  }
  return whole;
}

/** Send one statement: as one message with its text, or, if it has values, with these apart from
    it. What came back: { sql, values, notices, columns, rows, tag, error, status }; with more rows
    than a page shows also `of`, their number. */
export async function ask(send, { sql, values }) {
  const apart = values.length
    ? [parse("", sql), bind("", values.map(textValue), 0), describe("P", ""), execute(0), sync()]
    : [query(sql)];
  const answer = { sql, values, notices: [], columns: [], rows: [], tag: "", error: null };
  for (const message of messages(await send(joined(apart)), RECEIVED)) {
    if (message.name === "RowDescription") {
      answer.columns = columnsOf(message).map((column) => column.name);
      answer.rows = [];
    } else if (message.name === "DataRow") answer.rows.push(rowOf(message).map(textOf));
    else if (message.name === "CommandComplete") answer.tag = meaning(message);
    else if (message.name === "ErrorResponse") answer.error = told(message);
    else if (message.name === "NoticeResponse") answer.notices.push(told(message));
    else if (message.name === "ReadyForQuery") answer.status = textOf(message.body);
  }
  if (answer.rows.length > MOST_ROWS) {
    answer.of = answer.rows.length;
    answer.rows.length = MOST_ROWS;
  }
  if (answer.error) Object.assign(answer, { columns: [], rows: [], tag: "" });
  return answer;
}

function textValue(one) {
  return one === null ? null : { bytes: asText(one), binary: false };
}

function told(message) {
  const { S: severity, C: sqlstate, M: words, D: detail, H: hint, P: position } = fieldsOf(message);
  const said = { severity, sqlstate, message: words };
  if (detail) said.detail = detail;
  if (hint) said.hint = hint;
  if (position) said.position = Number(position);
  return said;
}

// -- Message by message ---------------------------------------------------------------------------

const line = (message) => ({
  letter: message.letter,
  name: message.name,
  says: meaning(message),
  bytes: hex(message.bytes),
});

/** One round trip: send these messages, wait for the answer. Both as lines for the page. */
async function trip(send, parts) {
  const bytes = joined(parts);
  const received = messages(await send(bytes), RECEIVED);
  return {
    shown: {
      sent: messages(bytes, SENT).map(line),
      received: received.map(line),
    },
    received,
  };
}

/** Send the messages of `trips` once more: [[bytes of a message, …], …]. */
export async function replay(send, trips) {
  const found = [];
  for (const parts of trips) found.push((await trip(send, parts)).shown);
  return found;
}

/** Send `sql` as asyncpg's execute() does without arguments: its text in one message. */
export async function sendText(send, { sql }) {
  return [(await trip(send, [query(sql)])).shown];
}

/** Send `sql` as asyncpg's fetch() does the first time: prepare it as `name`, then use it. Gives the
    round trips, and the types of the values if it could be prepared. */
export async function sendFirst(send, { sql, values }, name) {
  const asked = await trip(send, [parse(name, sql), describe("S", name), flush()]);
  const described = asked.received.find((one) => one.name === "ParameterDescription");
  if (!described) return { trips: [asked.shown, (await trip(send, [sync()])).shown] };
  const types = typesOf(described);
  return { trips: [asked.shown, ...(await sendAgain(send, { values }, name, types))], types };
}

/** Send the values for what was prepared as `name`, as asyncpg's fetch() does from then on. */
export async function sendAgain(send, { values }, name, types) {
  const packed = values.map((one, index) =>
    types[index] === INT4 && Number.isInteger(one) && one === (one | 0)
      ? { bytes: asInt4(one), binary: true }
      : textValue(one),
  );
  return [(await trip(send, [bind(name, packed, 1), execute(0), sync()])).shown];
}
