/* What Python prints goes to the page at once, unless it is so much that the page would stand still:
   then in larger pieces, and after MOST characters of one cell not at all. */
const MOST = 200_000;
const BURST = 100; // messages that may go out at once …
const SPAN = 100; // … within so many milliseconds

export class Printer {
  /** `name` is "stdout" or "stderr"; Python calls `write`. */
  constructor(name) {
    this.name = name;
    this.begin(undefined);
  }

  /** From now on, what is printed belongs to the cell `id`. */
  begin(id) {
    this.id = id;
    this.decoder = new TextDecoder();
    this.waiting = "";
    this.printed = 0;
    this.sent = 0;
    this.since = performance.now();
  }

  write(buffer) {
    const room = MOST - this.printed;
    const text = this.decoder.decode(buffer, { stream: true });
    this.printed += text.length;
    if (room > 0) {
      this.waiting += text.slice(0, room);
      this.waiting += text.length < room ? "" : "\n… and more than a page can hold.\n";
    }
    const now = performance.now();
    if (now - this.since > SPAN) {
      this.since = now;
      this.sent = 0;
    }
    if (this.sent < BURST) {
      this.flush();
    } else {
      this.later ??= setTimeout(() => this.flush(), SPAN); // for a cell that prints, then waits
    }
    return buffer.length;
  }

  flush() {
    clearTimeout(this.later);
    this.later = undefined;
    if (this.waiting) {
      self.postMessage({ type: "stream", id: this.id, name: this.name, text: this.waiting });
      this.waiting = "";
      this.sent += 1;
    }
  }
}
