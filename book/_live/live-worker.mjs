/* The worker of a page with live cells: loads Python, then runs one cell after the other.

   The page sends {type: "start", preload: [module, …], of} once; `of` is the bytes that will be fetched.
   Then it sends {type: "run", id, code, name, script} for each cell, the next one after "done".
   The worker answers with
     progress  {step, bytes, of}      while it loads; step says in words what it does
     ready     {marks, jspi, version} Python runs; marks are milliseconds since the worker began
     stream    {id, name, text}       what the cell prints, as it prints it
     display   {id, mime, data}       what the cell shows; "text/error" is a traceback
     done      {id, ok, ms}           the cell has ended
     fatal     {id, text}             Python itself cannot go on; id is missing while it loads */
import { loadPyodide } from "./pyodide/pyodide.mjs";
import { LOCK } from "./live-lock.mjs";
import { Printer } from "./live-printer.mjs";

const HERE = new URL("./", self.location.href).href;
const GZIPPED = /\.(wasm|data|zip)$/; // static hosts differ in what they compress
const LOADING = "Loading Python";
const BOOT = `import sys
sys.path[:0] = ["/live", "/live/packages", "/live/course/labs"]
import live_boot`;

const marks = {};
const bytes = { read: 0, of: 0, told: 0 };
let boot;
let printers;

const mark = (name) => {
  marks[name] = Math.round(performance.now());
};
const say = (step) => self.postMessage({ type: "progress", step, bytes: bytes.read, of: bytes.of });

/** A body that reports what was read of it, not more often than every 100 kB. */
function counted(body) {
  const count = new TransformStream({
    transform(chunk, out) {
      bytes.read += chunk.byteLength;
      if (bytes.read - bytes.told > 1e5) {
        bytes.told = bytes.read;
        say(LOADING);
      }
      out.enqueue(chunk);
    },
  });
  return body.pipeThrough(count);
}

const fetchAsIs = self.fetch;
/** `fetch` for Pyodide, too: big files are shipped gzipped and unpacked here. */
self.fetch = async (what, options) => {
  const url = String(what?.url ?? what);
  if (!GZIPPED.test(url)) {
    return fetchAsIs(what, options);
  }
  const answer = await fetchAsIs(`${url}.gz`, options);
  if (!answer.ok) {
    throw new Error(`${url} is missing (${answer.status})`);
  }
  const type = url.endsWith(".wasm") ? "application/wasm" : "application/octet-stream";
  const body = counted(answer.body).pipeThrough(new DecompressionStream("gzip"));
  return new Response(body, { headers: { "Content-Type": type } });
};

async function start({ preload, of }) {
  bytes.of = of;
  say(LOADING);
  const site = self.fetch(`${HERE}site.zip`).then((answer) => answer.arrayBuffer());
  const python = await loadPyodide({
    indexURL: `${HERE}pyodide/`,
    lockFileContents: LOCK,
    stdout: () => {},
    stderr: () => {},
  });
  mark("python");
  python.unpackArchive(await site, "zip", { extractDir: "/live" });
  mark("packages");
  bytes.read = bytes.of;
  say("Starting Python");
  printers = [new Printer("stdout"), new Printer("stderr")];
  python.setStdout(printers[0]);
  python.setStderr(printers[1]);
  // Asynchronously: only then does Python see whether the browser can switch stacks.
  await python.runPythonAsync(BOOT);
  boot = python.pyimport("live_boot");
  mark("boot");
  for (const module of preload) {
    say(`Importing ${module}`);
    python.pyimport(module).destroy();
  }
  mark("imports");
  self.postMessage({ type: "ready", marks, jspi: boot.CAN_SWITCH_STACKS, version: python.version });
}

async function run({ id, code, name, script }) {
  printers.forEach((printer) => printer.begin(id));
  const show = (mime, data) => self.postMessage({ type: "display", id, mime, data });
  const outcome = await boot.run_cell(code, name, Boolean(script), show);
  const [ok, ms] = outcome.toJs();
  outcome.destroy();
  printers.forEach((printer) => printer.flush());
  self.postMessage({ type: "done", id, ok, ms });
}

self.onmessage = async ({ data }) => {
  try {
    await (data.type === "start" ? start(data) : run(data));
  } catch (error) {
    self.postMessage({ type: "fatal", id: data.id, text: String(error?.message ?? error) });
  }
};
