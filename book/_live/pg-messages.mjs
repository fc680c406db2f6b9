/* PostgreSQL's protocol, version 3.0: its messages are made, taken out of bytes, and told in words.

   The words are those of labs/bench/instruments/protocol_messages.py, so that a message of the page
   reads like one of lesson 7. A message is { letter, name, body, bytes }: `body` is what comes
   after letter and length, `bytes` is all of it. */

export const SENT = {
  B: "Bind",
  C: "Close",
  D: "Describe",
  E: "Execute",
  H: "Flush",
  P: "Parse",
  Q: "Query",
  S: "Sync",
  X: "Terminate",
};
export const RECEIVED = {
  1: "ParseComplete",
  2: "BindComplete",
  3: "CloseComplete",
  C: "CommandComplete",
  D: "DataRow",
  E: "ErrorResponse",
  I: "EmptyQueryResponse",
  N: "NoticeResponse",
  S: "ParameterStatus",
  T: "RowDescription",
  Z: "ReadyForQuery",
  n: "NoData",
  s: "PortalSuspended",
  t: "ParameterDescription",
};
const TYPES = {
  16: "bool",
  20: "int8",
  21: "int2",
  23: "int4",
  25: "text",
  701: "float8",
  1007: "int4[]",
  1009: "text[]",
  1043: "varchar",
  1184: "timestamptz",
  1700: "numeric",
  2278: "void",
  3802: "jsonb",
};
const STATUS = { I: "idle", T: "in a transaction", E: "in a failed one" };
const encoder = new TextEncoder();
const decoder = new TextDecoder();

// -- Made ---------------------------------------------------------------------------------------

const int16 = (number) => [(number >> 8) & 255, number & 255];
const int32 = (number) => [(number >> 24) & 255, (number >> 16) & 255, ...int16(number)];
const text = (string) => [...encoder.encode(string), 0];
const value = (bytes) => (bytes === null ? int32(-1) : [...int32(bytes.length), ...bytes]);
const made = (letter, ...parts) => {
  const body = parts.flat();
  return Uint8Array.from([letter.charCodeAt(0), ...int32(4 + body.length), ...body]);
};

export const query = (sql) => made("Q", text(sql));
export const parse = (name, sql) => made("P", text(name), text(sql), int16(0));
export const describe = (kind, name) => made("D", [kind.charCodeAt(0)], text(name));
export const execute = (most) => made("E", text(""), int32(most));
export const flush = () => made("H");
export const sync = () => made("S");

/** Bind for the portal without a name. A value is null or { bytes, binary }; `results` is 0 for
    columns as text, 1 for columns in binary. */
export function bind(name, values, results) {
  const formats = values.flatMap((one) => int16(one?.binary ? 1 : 0));
  const packed = values.flatMap((one) => value(one && one.bytes));
  const count = int16(values.length);
  return made("B", text(""), text(name), count, formats, count, packed, int16(1), int16(results));
}

/** A value of JSON as PostgreSQL reads it from text: a list is an array. */
export function asText(one) {
  if (one === null) return null;
  if (!Array.isArray(one)) return encoder.encode(String(one));
  const items = one.map((item) => (item === null ? "NULL" : quotedItem(item)));
  return encoder.encode(`{${items.join(",")}}`);
}

function quotedItem(item) {
  return typeof item === "string" ? `"${item.replace(/["\\]/g, "\\$&")}"` : String(item);
}

/** A whole number as an int4 in binary, as asyncpg sends it. */
export const asInt4 = (number) => Uint8Array.from(int32(number));

// -- Taken out ----------------------------------------------------------------------------------

/** The whole messages in `bytes`, in order; `names` is SENT or RECEIVED. */
export function messages(bytes, names) {
  const found = [];
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  let at = 0;
  while (at + 5 <= bytes.length) {
    const end = at + 1 + view.getInt32(at + 1);
    if (end > bytes.length) break;
    const letter = String.fromCharCode(bytes[at]);
    const name = names[letter] ?? "unknown";
    found.push({ letter, name, body: bytes.subarray(at + 5, end), bytes: bytes.subarray(at, end) });
    at = end;
  }
  return found;
}

/** Reads a body from its beginning. */
class Reader {
  constructor(body) {
    this.body = body;
    this.view = new DataView(body.buffer, body.byteOffset, body.byteLength);
    this.at = 0;
  }
  get ended() {
    return this.at >= this.body.length;
  }
  int16() {
    this.at += 2;
    return this.view.getInt16(this.at - 2);
  }
  int32() {
    this.at += 4;
    return this.view.getInt32(this.at - 4);
  }
  text() {
    const end = this.body.indexOf(0, this.at);
    const found = decoder.decode(this.body.subarray(this.at, end));
    this.at = end + 1;
    return found;
  }
  value() {
    const length = this.int32();
    if (length < 0) return null;
    this.at += length;
    return this.body.subarray(this.at - length, this.at);
  }
  values() {
    return Array.from({ length: this.int16() }, () => this.value());
  }
}

/** The values of a DataRow: bytes, or null. */
export const rowOf = (message) => new Reader(message.body).values();

/** The columns of a RowDescription: { name, type }. */
export function columnsOf(message) {
  const reader = new Reader(message.body);
  return Array.from({ length: reader.int16() }, () => {
    const name = reader.text();
    reader.at += 6; // the table's number, and the column's within it
    const type = reader.int32();
    reader.at += 8; // length, modifier and format
    return { name, type };
  });
}

/** The numbers of the types of a ParameterDescription. */
export function typesOf(message) {
  const reader = new Reader(message.body);
  return Array.from({ length: reader.int16() }, () => reader.int32());
}

/** The fields of an ErrorResponse or a NoticeResponse by their letters: C is the SQLSTATE. */
export function fieldsOf(message) {
  const said = {};
  const reader = new Reader(message.body);
  while (!reader.ended && message.body[reader.at] !== 0) {
    const field = reader.text();
    said[field[0]] = field.slice(1);
  }
  return said;
}

export const textOf = (bytes) => (bytes === null ? null : decoder.decode(bytes));

// -- Told ---------------------------------------------------------------------------------------

const plain = (bytes) => bytes.every((byte) => byte >= 32 && byte < 127);
const typeName = (oid) => TYPES[oid] ?? `type ${oid}`;

/** Bytes as pairs of digits, with a space between two. */
export const hex = (bytes) =>
  Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join(" ");

function shown(bytes) {
  if (bytes === null) return "null";
  return plain(bytes) ? `'${decoder.decode(bytes)}'` : hex(bytes);
}

const TELLERS = {
  Query: (reader) => reader.text(),
  Parse(reader) {
    const name = reader.text();
    return `${name || "without a name"}: ${reader.text()}`;
  },
  Bind(reader) {
    reader.text(); // the portal
    const name = reader.text() || "without a name";
    const formats = reader.int16();
    reader.at += 2 * formats;
    return `${name} with ${reader.values().map(shown).join(", ") || "no value"}`;
  },
  Describe: (reader, body) => kindAndName(body),
  Close: (reader, body) => kindAndName(body),
  Execute(reader) {
    reader.text();
    const most = reader.int32();
    return most ? `at most ${most} row${most > 1 ? "s" : ""}` : "all rows";
  },
  ParameterDescription: (reader, body, message) =>
    typesOf(message)
      .map((oid, index) => `$${index + 1} ${typeName(oid)}`)
      .join(", "),
  RowDescription: (reader, body, message) =>
    columnsOf(message)
      .map(({ name, type }) => `${name} ${typeName(type)}`)
      .join(", "),
  DataRow: (reader) => reader.values().map(shown).join(" | "),
  CommandComplete: (reader) => reader.text(),
  ErrorResponse: (reader, body, message) => complaint(message),
  NoticeResponse: (reader, body, message) => complaint(message),
  ReadyForQuery: (reader, body) => STATUS[String.fromCharCode(body[0])],
};

function kindAndName(body) {
  const kind = body[0] === 83 ? "statement" : "portal"; // 83 is S
  return `${kind} ${decoder.decode(body.subarray(1, -1))}`.trim();
}

function complaint(message) {
  const { S: severity, C: sqlstate, M: words, P: position } = fieldsOf(message);
  const where = position ? `, at character ${position}` : "";
  return `${severity} ${sqlstate}: ${words}${where}`;
}

/** What the bytes of a message say, in words; nothing for a message whose name says it all. */
export function meaning(message) {
  const tell = TELLERS[message.name];
  if (tell) return tell(new Reader(message.body), message.body, message);
  return String.fromCharCode(...message.body.map((byte) => (byte >= 32 && byte < 127 ? byte : 32))).trim();
}
