/* A small model of one server process: some requests arrive together, one event loop serves them.

   Needs: nothing.
   Gives: asyncCourse.simulator = { simulate, peak }.

   simulate({requests, seconds, pool, kind, threads, cpu}) returns a trace (the format of
   labs/bench/traces/trace.py). The same input gives the same trace: no clock, no chance.

     requests  how many arrive at time 0             1 to 1000
     seconds   how long the database needs per query  0 to 60
     pool      database connections                  1 to 1000
     kind      "await"   async def, awaited query: the request leaves the loop while it waits
               "block"   async def, blocking query: the request keeps the loop while it waits
               "thread"  def: the blocking query waits in a thread, at most `threads` at once
     cpu       seconds of loop time per request, half before the query and half after it

   The clock counts whole microseconds, so that sums are exact: waves of queries end at exactly
   ceil(requests / places) * seconds when cpu is 0. */
((course) => {
  "use strict";
  if (course.simulator) return;

  const MICRO = 1e6;
  const KINDS = ["await", "block", "thread"];

  /** Events by time; events of one time in the order in which they were added (binary heap). */
  function eventQueue() {
    const heap = [];
    let added = 0;
    const before = (a, b) => a.time < b.time || (a.time === b.time && a.order < b.order);
    return {
      add(time, run) {
        const event = { time, run, order: added++ };
        let at = heap.length;
        while (at > 0) {
          const parent = (at - 1) >> 1;
          if (!before(event, heap[parent])) break;
          heap[at] = heap[parent];
          at = parent;
        }
        heap[at] = event;
      },
      next() {
        const first = heap[0];
        const last = heap.pop();
        if (heap.length === 0) return first; // also undefined when there was none
        let at = 0;
        for (;;) {
          let child = 2 * at + 1;
          if (child >= heap.length) break;
          if (child + 1 < heap.length && before(heap[child + 1], heap[child])) child += 1;
          if (!before(heap[child], last)) break;
          heap[at] = heap[child];
          at = child;
        }
        heap[at] = last;
        return first;
      },
    };
  }

  /** `number` places; who finds none waits in the order of arrival. */
  function places(number) {
    const queue = [];
    let free = number;
    return {
      take(then) {
        if (free > 0) {
          free -= 1;
          then();
        } else {
          queue.push(then);
        }
      },
      giveBack() {
        if (queue.length > 0) queue.shift()();
        else free += 1;
      },
    };
  }

  function checked(options) {
    const given = { threads: 40, cpu: 0.0005, ...options };
    const whole = (name) => {
      const value = given[name];
      if (!Number.isInteger(value) || value < 1 || value > 1000) {
        throw new RangeError(`${name} must be a whole number from 1 to 1000, not ${value}.`);
      }
    };
    const time = (name) => {
      const value = given[name];
      if (!(value >= 0 && value <= 60)) {
        throw new RangeError(`${name} must be from 0 to 60 seconds, not ${value}.`);
      }
    };
    whole("requests");
    whole("pool");
    whole("threads");
    time("seconds");
    time("cpu");
    if (!KINDS.includes(given.kind)) {
      throw new RangeError(`kind must be one of ${KINDS.join(", ")}, not ${given.kind}.`);
    }
    return given;
  }

  /** The largest number of lanes that are in one of `states` at the same moment. */
  function peak(trace, states) {
    const changes = [];
    for (const lane of trace.lanes) {
      for (const span of lane.spans) {
        if (states.includes(span.state) && span.to > span.from) {
          changes.push([span.from, 1], [span.to, -1]);
        }
      }
    }
    changes.sort((a, b) => a[0] - b[0] || a[1] - b[1]); // who leaves makes room first
    let now = 0;
    let most = 0;
    for (const [, step] of changes) {
      now += step;
      most = Math.max(most, now);
    }
    return most;
  }

  function simulate(options) {
    const { requests, seconds, pool, kind, threads, cpu } = checked(options);
    const query = Math.round(seconds * MICRO);
    const halfCpu = Math.round((cpu * MICRO) / 2);
    const lanes = Array.from({ length: requests }, () => []);
    const events = eventQueue();
    const connections = places(pool);
    const helpers = places(threads);
    let now = 0;

    const span = (guest, state, from, to) => {
      if (to > from) lanes[guest].push({ state, from: from / MICRO, to: to / MICRO });
    };
    const after = (delay, run) => events.add(now + delay, run);

    // The event loop: one job at a time, first come, first served. A job is a list of [state, µs].
    const jobs = [];
    let loopIsFree = true;
    const startNextJob = () => {
      const job = jobs.shift();
      loopIsFree = job === undefined;
      if (loopIsFree) return;
      span(job.guest, "ready", job.since, now);
      let end = now;
      for (const [state, length] of job.parts) {
        span(job.guest, state, end, end + length);
        end += length;
      }
      after(end - now, () => {
        job.done();
        startNextJob();
      });
    };
    const onLoop = (guest, parts, done) => {
      jobs.push({ guest, parts, done, since: now });
      if (loopIsFree) {
        loopIsFree = false;
        after(0, startNextJob);
      }
    };
    // Who finds a free place goes on at once; who had to wait is woken by the loop, in its turn.
    const waitFor = (what, guest, state, then) => {
      const since = now;
      let waited = false;
      what.take(() => {
        span(guest, state, since, now);
        if (waited) onLoop(guest, [], then);
        else then();
      });
      waited = true;
    };
    const ask = (guest, then) => {
      span(guest, "database", now, now + query);
      after(query, then);
    };
    const answer = (guest, then) => onLoop(guest, [["running", halfCpu]], then);

    const serve = {
      block(guest) {
        onLoop(guest, [["blocking", query], ["running", halfCpu]], () => {});
      },
      await(guest) {
        waitFor(connections, guest, "pool", () =>
          ask(guest, () => answer(guest, connections.giveBack)),
        );
      },
      thread(guest) {
        waitFor(helpers, guest, "thread", () => {
          const since = now;
          connections.take(() => {
            span(guest, "pool", since, now); // in the thread, as is the return: neither needs the loop
            ask(guest, () => {
              connections.giveBack();
              answer(guest, helpers.giveBack); // the thread is free when the loop has its result
            });
          });
        });
      },
    }[kind];

    for (let guest = 0; guest < requests; guest += 1) {
      onLoop(guest, [["running", halfCpu]], () => serve(guest));
    }
    for (let event = events.next(); event !== undefined; event = events.next()) {
      now = event.time;
      event.run();
    }

    const trace = {
      schema: "async-course/trace/1",
      title: "Simulated requests",
      summary: "",
      source: "simulated",
      about: { requests, seconds, pool, kind, threads, cpu },
      duration: now / MICRO,
      lanes: lanes.map((spans, guest) => ({ name: `guest ${guest + 1}`, spans })),
    };
    trace.summary = summary(trace);
    return trace;
  }

  function summary(trace) {
    const { requests, seconds, kind } = trace.about;
    const most = peak(trace, ["database", "blocking"]);
    const how = {
      await: "async def with awaited queries",
      block: "async def with blocking queries",
      thread: "def with blocking queries in threads",
    }[kind];
    return (
      `${requests} ${requests === 1 ? "guest" : "guests"}, ${how} of ${Number(seconds.toFixed(3))} s: ` +
      `at most ${most} ${most === 1 ? "runs" : "run"} at the same time, ` +
      `and the last guest is served after ${trace.duration.toFixed(2)} s.`
    );
  }

  course.simulator = { simulate, peak };
})((window.asyncCourse ??= {}));
