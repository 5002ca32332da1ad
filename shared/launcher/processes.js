"use strict";
// Processes that are no children of this one.

const { execFileSync } = require("node:child_process");
const fs = require("node:fs");

// identity tells a process from a later one that got the same number: start is absent
// when it has ended. (One that nobody has waited for yet, a zombie, has.)
exports.identity = (pid) => {
  if (process.platform === "linux") {
    const stat = read(pid);
    return stat && stat.state !== "Z" ? { pid, start: stat.start } : { pid };
  }
  try {
    const out = execFileSync("ps", ["-o", "state=", "-o", "lstart=", "-p", String(pid)], {
      encoding: "utf8",
      env: { ...process.env, LC_ALL: "C" }, // the same text of a time, always
    }).trim();
    return out && !out.startsWith("Z") ? { pid, start: out.replace(/^\S+\s+/, "") } : { pid };
  } catch {
    return { pid };
  }
};

// leaders are the processes of a session that lead a process group of their own, without
// the one that leads the session. Terraform is one; what a provisioner left in the
// background is none. Only Linux tells; elsewhere there are none.
exports.leaders = (session) => {
  if (process.platform !== "linux") {
    return [];
  }
  return fs
    .readdirSync("/proc")
    .filter((name) => /^\d+$/.test(name))
    .map(Number)
    .filter((pid) => {
      const stat = read(pid);
      return stat && stat.session === session && stat.group === pid && pid !== session && stat.state !== "Z";
    });
};

// kill sends a signal; a process that has just ended needs none.
exports.kill = (pid, signal) => {
  try {
    process.kill(pid, signal);
  } catch (error) {
    if (error.code !== "ESRCH") {
      throw error;
    }
  }
};

// read reads /proc/PID/stat, proc_pid_stat(5). The name, between parentheses, may hold anything.
function read(pid) {
  try {
    const text = fs.readFileSync(`/proc/${pid}/stat`, "utf8");
    const fields = text.slice(text.lastIndexOf(")") + 2).split(" ");
    return { state: fields[0], group: Number(fields[2]), session: Number(fields[3]), start: fields[19] };
  } catch {
    return undefined;
  }
}
