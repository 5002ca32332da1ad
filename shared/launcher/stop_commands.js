"use strict";

const fs = require("node:fs");

// stoppedBy reads the first bytes of a log as the runner does, and returns the token that
// makes it take commands again: the one of the last ::stop-commands:: that is still in
// force, or "". The runner forgets a stop at the end of a step; what follows in the next
// one must not become commands for that.
exports.stoppedBy = (path, bytes) => {
  const file = fs.openSync(path, "r");
  try {
    let token = "";
    let rest = "";
    const chunk = Buffer.alloc(1 << 20);
    for (let at = 0; at < bytes; ) {
      const size = fs.readSync(file, chunk, 0, Math.min(chunk.length, bytes - at), at);
      if (size === 0) {
        break;
      }
      at += size;
      const lines = (rest + chunk.latin1Slice(0, size)).split("\n");
      rest = lines.pop().slice(-4096); // no command of ours is longer
      for (const line of lines) {
        const stop = line.match(/^::stop-commands::(.+)$/);
        if (token === "" && stop) {
          token = stop[1];
        } else if (token !== "" && line === `::${token}::`) {
          token = "";
        }
      }
    }
    return token;
  } finally {
    fs.closeSync(file);
  }
};
