"use strict";
// Which binary an action runs:
//
//   1. GITOPS_BINARY: a file, or a folder with files that are named as release assets are;
//   2. a release's, from the runner's tool cache or downloaded into it;
//   3. built from the action's sources, where there is no actions/checksums.txt: in a
//      fork, on a branch, in this repository's own CI.
//
// A commit that has actions/checksums.txt runs only what that lists, wherever it comes
// from. So a pinned commit pins the bits. The file is in the format of sha256sum, and its
// first line, a comment to sha256sum, names the release: "# v1.2.3".

const { spawnSync } = require("node:child_process");
const crypto = require("node:crypto");
const fs = require("node:fs");
const path = require("node:path");

const root = path.join(__dirname, "..", ".."); // of the action's repository

// find returns the path of an action's binary. What has no place to stay goes into scratch.
exports.find = async (action, scratch) => {
  const name = `${action}_${platform()}`;
  const release = readChecksums(path.join(root, "actions", "checksums.txt"));
  const sum = release?.sums.get(name);
  if (release && !sum) {
    throw new Error(`actions/checksums.txt of ${release.version} does not list ${name}`);
  }
  const given = process.env.GITOPS_BINARY;
  if (given) {
    return mirrored(given, name, release?.version, sum);
  }
  return release ? cached({ name, sum, version: release.version }, scratch) : build(action, scratch);
};

function platform() {
  const arch = { x64: "amd64", arm64: "arm64" }[process.arch];
  if (!["linux", "darwin"].includes(process.platform) || !arch) {
    throw new Error(
      `there is no binary for ${process.platform} on ${process.arch}: use a runner with Linux or macOS, on x64 or arm64`,
    );
  }
  return `${process.platform}_${arch}`;
}

function readChecksums(file) {
  let text;
  try {
    text = fs.readFileSync(file, "utf8");
  } catch (error) {
    if (error.code === "ENOENT") {
      return undefined;
    }
    throw error;
  }
  const [first, ...lines] = text.trimEnd().split("\n");
  const version = first.match(/^# (v\d+\.\d+\.\d+\S*)$/)?.[1];
  const entries = lines.map((line) => line.match(/^([0-9a-f]{64})  (\S+)$/));
  if (!version || entries.includes(null)) {
    throw new Error(`${file} is not a list of checksums: check out the action anew`);
  }
  return { version, sums: new Map(entries.map(([, sum, name]) => [name, sum])) };
}

function mirrored(given, name, version, sum) {
  let file = given;
  try {
    if (fs.statSync(given).isDirectory()) {
      file = path.join(given, name);
    }
    if (!sum) {
      fs.accessSync(file, fs.constants.X_OK); // no release: there is nothing to compare with
    } else if (digest(file) !== sum) {
      throw new Error(`its SHA-256 is not the one that actions/checksums.txt lists for ${name}: put that file of ${version} there`);
    }
  } catch (error) {
    throw new Error(`GITOPS_BINARY: ${file}: ${error.message}`);
  }
  return file;
}

// cached returns the asset's path in the tool cache. It is looked at on each start, since a
// cache may be shared, and must not be believed.
async function cached(asset, scratch) {
  const folder = process.env.RUNNER_TOOL_CACHE
    ? path.join(process.env.RUNNER_TOOL_CACHE, "terraform-gitops", asset.version, asset.sum)
    : scratch;
  const file = path.join(folder, asset.name);
  if (digest(file) === asset.sum) {
    return file;
  }
  const { download } = require("./download.js"); // loads what a cached start does not need
  try {
    fs.mkdirSync(folder, { recursive: true });
    fs.accessSync(folder, fs.constants.W_OK);
  } catch (error) {
    if (!["EACCES", "EPERM", "EROFS"].includes(error.code)) {
      throw error;
    }
    return download(asset, path.join(scratch, asset.name)); // a cache that is not ours
  }
  return download(asset, file);
}

// digest is the SHA-256 of a file, "" when it is not there: some 15 ms for the 20 MiB of a
// binary. A small buffer is faster than the whole file in memory.
function digest(name) {
  let file;
  try {
    file = fs.openSync(name, "r");
  } catch (error) {
    if (error.code === "ENOENT") {
      return "";
    }
    throw error;
  }
  try {
    const hash = crypto.createHash("sha256");
    const chunk = Buffer.allocUnsafe(256 << 10);
    for (let size; (size = fs.readSync(file, chunk)) > 0; ) {
      hash.update(chunk.subarray(0, size));
    }
    return hash.digest("hex");
  } finally {
    fs.closeSync(file);
  }
}

function build(action, scratch) {
  const file = path.join(scratch, action);
  // -s: without symbols for a debugger, as releases are; a third less to link at each start.
  const args = ["build", "-C", path.join(root, "actions", action), "-trimpath", "-buildvcs=false", "-ldflags=-s", "-o", file, "."];
  const { error, status } = spawnSync("go", args, {
    env: { ...process.env, GOWORK: "off" },
    stdio: ["ignore", "inherit", "inherit"],
  });
  if (error?.code === "ENOENT") {
    throw new Error(
      "this commit is no release, so the action is built from source, and there is no Go: " +
        "use a release, or add `actions/setup-go` before this step",
    );
  }
  if (error || status !== 0) {
    throw new Error(`go build failed: ${error ? error.message : "see the lines above"}`);
  }
  return file;
}
