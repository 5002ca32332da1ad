"use strict";
// The post step of an action. There is nothing to do unless the main step was killed: then
// it goes on with the binary, which is still running or has ended since, prints what that
// says, and ends as it ends.
//
// GitHub gives a cancelled job 5 minutes, post steps included, and then takes the machine.
// https://docs.github.com/actions/reference/workflows-and-actions/workflow-cancellation
// A job that is cancelled during a post step does not tell the step. So after a limit
// Terraform is interrupted, once if nobody has done that, and after the same time again:
// a state that is written in a hurry is better than none.

const fs = require("node:fs");
const log = require("./log.js");
const { Run, sleep } = require("./run.js");

const lastWait = 15; // seconds, after the second interrupt

async function post() {
  const dir = process.env["STATE_gitops-run"];
  if (!dir || !fs.existsSync(dir)) {
    return 0; // the main step has seen to it all
  }
  const run = new Run(dir);
  const { action } = run.owner;
  if (!run.started) {
    run.remove();
    return 0;
  }
  // Seconds.
  const limit = Number(process.env.GITOPS_CANCEL_TIMEOUT) || 240;
  if (run.alive().length > 0) {
    log.line(`${action} is still running: waiting for it to end, ${limit} s before it is interrupted`);
  }
  const token = run.stop();
  if (token) {
    log.line(`::stop-commands::${token}`);
  }
  if (!run.interrupted && !(await ends(run, limit))) {
    run.interrupt("SIGINT");
  }
  if (!(await ends(run, limit))) {
    run.interrupt("SIGTERM");
    if (!(await ends(run, lastWait))) {
      resume(run);
      log.error(
        `${action} did not stop in time and is left running, so that it can write its state. ` +
          "A runner that is gone after the job takes it along: look at the state, and plan again",
      );
      return 1;
    }
  }
  const status = run.read("status");
  const code = status === "" ? await run.killed() : Number(status);
  run.finish("", process.env.GITHUB_STEP_SUMMARY);
  return code;
}

// ends waits until the run has ended, some seconds at most, and prints what it says.
async function ends(run, seconds) {
  const end = Date.now() + seconds * 1000;
  for (;;) {
    const alive = run.alive().length > 0;
    run.print(!alive);
    if (!alive) {
      return true;
    }
    if (Date.now() >= end) {
      return false;
    }
    await sleep(100);
  }
}

function resume(run) {
  const token = run.stop();
  if (token) {
    log.line(`::${token}::`);
  }
}

post().then(
  (code) => {
    process.exitCode = code;
  },
  (error) => {
    log.error(error.message);
    process.exitCode = 1;
  },
);
