/* Run with Node.js by book/live_assets.py: `node precompile.mjs PYODIDE WORK`.

   Python for the browser itself compiles what its cells import, since no other Python writes its
   bytecode. PYODIDE is the folder of the unpacked package; WORK holds the archives that change. */
import { readFileSync } from "node:fs";
import { pathToFileURL } from "node:url";
import { LOCK } from "../_live/live-lock.mjs";

const [home, work] = process.argv.slice(2);
const { loadPyodide } = await import(pathToFileURL(`${home}/pyodide.mjs`));
try {
  const python = await loadPyodide({ indexURL: home, lockFileContents: LOCK });
  python.FS.mkdirTree("/work");
  python.FS.mount(python.FS.filesystems.NODEFS, { root: work }, "/work");
  const program = readFileSync(new URL("compile_modules.py", import.meta.url), "utf-8");
  await python.runPythonAsync(program);
} catch (error) {
  console.error(error.message); // the error itself would bring all of Pyodide's one line
  process.exitCode = 1;
}
