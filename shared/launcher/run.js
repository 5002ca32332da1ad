"use strict";
// One run of a binary: a private folder in RUNNER_TEMP, from which the post step, or the
// next job, can go on when the main step was killed.
//
//   owner    the main step: process, action, and what was in RUNNER_TEMP before
//   child    the binary's process
//   log      what it prints; a file, since a Go program dies of a pipe that nobody reads
//   printed  how many bytes of log the runner has seen
//   stopping there is a signal that was passed on
//   output, summary  what it gives to the workflow, for GITHUB_OUTPUT and GITHUB_STEP_SUMMARY
//   status   its exit status, which it writes itself: its parent may be gone

const { spawn } = require("node:child_process");
const fs = require("node:fs");
const os = require("node:os");
const path = require("node:path");
const log = require("./log.js");
const processes = require("./processes.js");
const { stoppedBy } = require("./stop_commands.js");

const prefix = "gitops-launch-";
const temp = () => process.env.RUNNER_TEMP || os.tmpdir();

class Run {
  constructor(dir) {
    this.dir = dir;
  }

  // create makes the folder, and tells the post step where it is.
  static create(action) {
    const before = jobFolders();
    const run = new Run(fs.mkdtempSync(path.join(temp(), prefix))); // mode 0700
    run.write("owner", JSON.stringify({ action, before, ...processes.identity(process.pid) }));
    for (const name of ["log", "output", "summary"]) {
      run.write(name, "");
    }
    if (process.env.GITHUB_STATE) {
      fs.appendFileSync(process.env.GITHUB_STATE, `gitops-run=${run.dir}\n`);
    }
    return run;
  }

  path(name) {
    return path.join(this.dir, name);
  }

  write(name, text) {
    fs.writeFileSync(this.path(name), text, { mode: 0o600 });
  }

  read(name) {
    try {
      return fs.readFileSync(this.path(name), "utf8");
    } catch {
      return "";
    }
  }

  json(name) {
    try {
      return JSON.parse(this.read(name));
    } catch {
      return {}; // not written yet, or not whole
    }
  }

  get owner() {
    return this.json("owner");
  }

  get child() {
    return this.json("child");
  }

  get started() {
    return this.child.pid !== undefined;
  }

  // start starts the binary in a session of its own, so that no signal reaches it but
  // those passed on. The result is how it ended.
  start(file) {
    const out = fs.openSync(this.path("log"), "a");
    const child = spawn(file, [], {
      detached: true,
      stdio: ["ignore", out, out],
      env: {
        ...process.env,
        GITHUB_OUTPUT: this.path("output"),
        GITHUB_STEP_SUMMARY: this.path("summary"),
        // Not for Terraform to see: STATE_ is the prefix of what belongs to an action.
        STATE_GITOPS_STATUS: this.path("status"),
        // By this the runner finds what is left at the end of a job, and kills it; an
        // apply that the post step could not wait for must end with its state written.
        RUNNER_TRACKING_ID: "",
      },
    });
    fs.closeSync(out);
    if (child.pid !== undefined) {
      this.write("child", JSON.stringify(processes.identity(child.pid)));
    }
    return new Promise((resolve, reject) => {
      child.on("error", (error) => reject(new Error(`${file} cannot be started: ${error.message}`)));
      child.on("exit", (status, signal) => resolve({ status, signal }));
    });
  }

  // alive are the processes to wait for: the binary, or the Terraform that goes on when
  // the binary was killed.
  alive() {
    const { pid, start } = this.child;
    if (pid === undefined) {
      return [];
    }
    // Without a start it had ended before it was looked at.
    return start !== undefined && processes.identity(pid).start === start ? [pid] : processes.leaders(pid);
  }

  get interrupted() {
    return fs.existsSync(this.path("stopping"));
  }

  // interrupt sends a signal to what is alive. The first one asks Terraform to stop and to
  // write its state, the second one makes it drop what it is doing.
  interrupt(signal) {
    this.write("stopping", signal);
    for (const pid of this.alive()) {
      processes.kill(pid, signal);
    }
  }

  // print prints the whole lines that are new, or at the end all that is left. A line that
  // was begun is not split between two steps.
  print(end = false) {
    const file = fs.openSync(this.path("log"), "r");
    try {
      let printed = Number(this.read("printed"));
      let chunk = Buffer.alloc(64 << 10);
      for (;;) {
        const size = fs.readSync(file, chunk, 0, chunk.length, printed);
        let whole = chunk.subarray(0, size).lastIndexOf("\n") + 1;
        if (size > 0 && whole === 0) {
          if (size === chunk.length) {
            chunk = Buffer.alloc(2 * size); // a line of that size
            continue;
          }
          whole = end ? size : 0;
        }
        if (whole === 0) {
          return;
        }
        log.write(chunk.subarray(0, whole));
        printed += whole;
        this.write("printed", String(printed));
      }
    } finally {
      fs.closeSync(file);
    }
  }

  // stop is the token with which the runner takes commands again, where the printed part
  // of the log has told it to take none; "" where it takes them.
  stop() {
    return stoppedBy(this.path("log"), Number(this.read("printed")));
  }

  // killed ends a run whose binary was killed: it waits for Terraform, removes the
  // planfiles, says so, and returns the exit status.
  async killed() {
    this.print(true);
    const token = this.stop();
    if (token) {
      log.line(`::${token}::`);
    }
    const { action, before } = this.owner;
    log.error(
      `${action}: the action's process was killed, so nothing is known of how it ended. ` +
        "If it was applying a plan, that stays `applying` and is applied by no one again: " +
        "look at the state, and plan again",
    );
    if (this.alive().length > 0) {
      log.line("Terraform is still running: waiting until it has written its state");
      while (this.alive().length > 0) {
        await sleep(200);
      }
    }
    removeJobFolders(before);
    return 137;
  }

  // finish prints the rest, hands over what the binary left, and removes the folder.
  finish(output, summary) {
    this.print(true);
    for (const [name, to] of [["output", output], ["summary", summary]]) {
      const text = this.read(name);
      if (to && text) {
        fs.appendFileSync(to, text);
      }
    }
    this.remove();
  }

  remove() {
    fs.rmSync(this.dir, { recursive: true, force: true });
  }
}

// sweep removes the planfiles of runs that were killed together with their steps. Folders
// carry no mark of their owner, so nothing is removed while any run may be alive.
function sweep() {
  const runs = names(temp())
    .filter((name) => name.startsWith(prefix))
    .map((name) => new Run(path.join(temp(), name)));
  const alive = ({ pid, start }) => pid !== undefined && processes.identity(pid).start === start;
  if (runs.length === 0 || runs.some((run) => alive(run.owner) || run.alive().length > 0)) {
    return;
  }
  for (const run of runs) {
    log.line(`removing what a killed step left in ${temp()}`);
    removeJobFolders(run.owner.before);
    run.remove();
  }
}

// jobFolders are the private folders that binaries make for planfiles (package job).
function jobFolders() {
  return names(temp()).filter((name) => /^gitops-\d+$/.test(name));
}

function removeJobFolders(before = []) {
  for (const name of jobFolders()) {
    if (!before.includes(name)) {
      fs.rmSync(path.join(temp(), name), { recursive: true, force: true });
    }
  }
}

function names(dir) {
  try {
    return fs.readdirSync(dir);
  } catch {
    return [];
  }
}

const sleep = (milliseconds) => new Promise((resolve) => setTimeout(resolve, milliseconds));

module.exports = { Run, sweep, sleep };
