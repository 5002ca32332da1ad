"use strict";
// What the launcher and the binary print. The runner reads it line by line, and takes
// lines that begin with "::" for commands.

const fs = require("node:fs");

let broken = false; // nobody reads any more

// write prints bytes, and waits until they are taken. It uses the descriptor itself:
// process.stdout would keep in memory what this process loses when it is killed.
exports.write = (bytes) => {
  for (let from = 0; from < bytes.length && !broken; ) {
    try {
      from += fs.writeSync(1, bytes, from);
    } catch (error) {
      if (error.code === "EAGAIN") {
        Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 5);
      } else {
        broken = true; // the binary goes on, and so must the wait for it
      }
    }
  }
};

exports.line = (text) => exports.write(Buffer.from(`${text}\n`));

// error prints the line that the job's page shows. Data of a command is escaped as in
// https://github.com/actions/toolkit/blob/main/packages/core/src/command.ts
exports.error = (text) => {
  exports.line(`::error::${text.replace(/%/g, "%25").replace(/\r/g, "%0D").replace(/\n/g, "%0A")}`);
};
