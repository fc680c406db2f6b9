/* The worker of a page with live cells: loads Python, then runs one cell after the other.

   The page sends {type: "start", preload: [module, …]} once, then {type: "run", id, code, name, script}.
   The worker answers with
     progress  {step, bytes, of}      while it loads; step says in words what it does
     ready     {marks, jspi, version} Python runs; marks are milliseconds since the start
     stream    {id, name, text}       what the cell prints, as it prints it
     display   {id, mime, data}       what the cell shows; "text/error" is a traceback
     done      {id, ok, ms}           the cell has ended
     fatal     {id, text}             Python itself cannot go on; id is missing while it loads */
import { loadPyodide } from "./pyodide/pyodide.mjs";

const HERE = new URL("./", self.location.href).href;
const GZIPPED = /\.(wasm|data|zip)$/; // static hosts differ in what they compress
const BOOT = `import sys
sys.path[:0] = ["/live", "/live/packages", "/live/course/labs"]
import live_boot`;
const LOADING = "Loading Python";

const began = performance.now();
const marks = {};
const bytes = { read: 0, of: 0 };
let boot;
let current;

const mark = (name) => {
  marks[name] = Math.round(performance.now() - began);
};
const say = (step) => self.postMessage({ type: "progress", step, bytes: bytes.read, of: bytes.of });

/** A body that reports what was read of it. */
function counted(body) {
  const count = new TransformStream({
    transform(chunk, out) {
      bytes.read += chunk.byteLength;
      say(LOADING);
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
    return answer;
  }
  const type = url.endsWith(".wasm") ? "application/wasm" : "application/octet-stream";
  const body = counted(answer.body).pipeThrough(new DecompressionStream("gzip"));
  return new Response(body, { headers: { "Content-Type": type } });
};

async function bytesOf(name) {
  const answer = await self.fetch(HERE + name);
  if (!answer.ok) {
    throw new Error(`${name} is missing (${answer.status})`);
  }
  return answer.arrayBuffer();
}

/** What Python prints goes to the page at once. */
function printer(name) {
  const decoder = new TextDecoder();
  return {
    write(buffer) {
      const text = decoder.decode(buffer, { stream: true });
      self.postMessage({ type: "stream", id: current, name, text });
      return buffer.length;
    },
  };
}

async function start({ preload, of }) {
  bytes.of = of ?? 0;
  say(LOADING);
  const site = bytesOf("site.zip");
  const lock = { info: { abi_version: "2026_0", arch: "wasm32", platform: "emscripten_5_0_3", python: "3.14.2" }, packages: {} };
  const python = await loadPyodide({
    indexURL: `${HERE}pyodide/`,
    lockFileContents: lock, // nothing is loaded from anywhere else
    stdout: () => {},
    stderr: () => {},
  });
  mark("python");
  python.unpackArchive(await site, "zip", { extractDir: "/live" });
  mark("packages");
  say("Importing what the cells use");
  python.setStdout(printer("stdout"));
  python.setStderr(printer("stderr"));
  // Asynchronously: only then does Python see whether the browser can switch stacks.
  await python.runPythonAsync(BOOT);
  boot = python.pyimport("live_boot");
  mark("boot");
  for (const module of preload) {
    python.pyimport(module).destroy();
  }
  mark("imports");
  const jspi = boot.CAN_SWITCH_STACKS;
  self.postMessage({ type: "ready", marks, jspi, version: python.version });
}

async function run({ id, code, name, script }) {
  current = id;
  const show = (mime, data) => self.postMessage({ type: "display", id, mime, data });
  const outcome = await boot.run_cell(code, name, Boolean(script), show);
  const [ok, ms] = outcome.toJs();
  outcome.destroy();
  self.postMessage({ type: "done", id, ok, ms });
}

self.onmessage = async ({ data }) => {
  try {
    await (data.type === "start" ? start(data) : run(data));
  } catch (error) {
    self.postMessage({ type: "fatal", id: data.id, text: String(error?.message ?? error) });
  }
};
