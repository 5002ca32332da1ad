"use strict";
// The main step of an action: finds the action's binary, and runs it with the streams,
// signals and exit status of this process. docs/release.md says where binaries come from.
//
// On cancel GitHub's runner sends SIGINT to this process, SIGTERM 7.5 s later, and
// SIGKILL 2.5 s after that; an apply may need longer to stop and to write its state. So
// the binary lives in a session of its own (run.js) and outlives this process, and the
// post step, which the runner gives minutes, waits for it (post.js).

const binary = require("./binary.js");
const log = require("./log.js");
const { Run, sweep } = require("./run.js");

// start runs an action, such as "plan". It sets this process's exit status.
exports.run = async (action) => {
  let run;
  let relay = () => {
    run?.remove();
    process.exit(130); // nothing was started yet
  };
  for (const signal of ["SIGINT", "SIGTERM"]) {
    process.on(signal, () => relay(signal));
  }
  try {
    sweep();
    run = Run.create(action);
    const file = await binary.find(action, run.dir);
    const ended = run.start(file);
    relay = (signal) => relayOnce(run, signal);
    const printing = setInterval(() => run.print(), 50); // milliseconds
    const { status, signal } = await ended;
    clearInterval(printing);
    if (signal && signal === run.read("stopping")) {
      process.exitCode = 130; // so early that it was not listening yet: nothing was begun
    } else {
      process.exitCode = signal ? await run.killed() : status;
    }
    run.finish(process.env.GITHUB_OUTPUT, process.env.GITHUB_STEP_SUMMARY);
  } catch (error) {
    log.error(`${action}: ${error.message}`);
    process.exitCode = 1;
    if (!run?.started) {
      run?.remove();
    }
  }
  process.exit(); // whatever connection is still open
};

// relayOnce passes on the first signal. The second would make Terraform drop what it is
// doing, and the runner sends it only because 7.5 s have gone by.
function relayOnce(run, signal) {
  if (run.interrupted) {
    log.line("still stopping: if that takes longer than this step may, the post step waits for it");
    return;
  }
  run.interrupt(signal);
}
