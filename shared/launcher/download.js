"use strict";

const crypto = require("node:crypto");
const fs = require("node:fs");
const path = require("node:path");
const { get, HTTPError } = require("./http.js");
const log = require("./log.js");

const sizeLimit = 256 << 20; // bytes; a binary has some 20 MiB
const retryDelays = [1000, 4000]; // milliseconds

// download fetches a release's asset {name, version, sum} into a file, mode 0755. The file
// is there whole and right, or not at all; two downloads at once do not meet.
exports.download = async (asset, file) => {
  const partial = `${file}.partial-${crypto.randomUUID()}`;
  process.once("exit", () => fs.rmSync(partial, { force: true })); // of a cancelled step, too
  sweep(path.dirname(file));
  const problems = [];
  for (const source of sources(asset)) {
    try {
      await retried(async () => receive(await source.open(), asset.sum, partial));
      fs.renameSync(partial, file);
      return file;
    } catch (error) {
      problems.push(`${source.name}: ${error.message}`);
      if (!(error instanceof HTTPError && error.elsewhere)) {
        break;
      }
    }
  }
  throw new Error(
    `${asset.name} of ${asset.version} cannot be downloaded: ${problems.join("; ")}. ` +
      "Without access to it, set GITOPS_BINARY to a copy",
  );
};

// sources are where the asset may be. A public release is at an address; GitHub shows that
// of a private repository, and on a server in private mode, through its API only. A server
// with GitHub Connect runs actions of github.com, whose releases are there.
function* sources({ name, version }) {
  const server = (process.env.GITHUB_SERVER_URL || "https://github.com").replace(/\/$/, "");
  const repository = process.env.GITHUB_ACTION_REPOSITORY || process.env.GITHUB_REPOSITORY;
  const address = `${repository}/releases/download/${version}/${name}`;
  yield { name: `${server}/${address}`, open: () => openPublic(`${server}/${address}`) };
  const token = process.env.INPUT_TOKEN;
  if (token) {
    const api = `${process.env.GITHUB_API_URL || "https://api.github.com"}/repos/${repository}/releases`;
    yield { name: `${api}/tags/${version}`, open: () => openByAPI(api, version, name, token) };
  }
  if (server !== "https://github.com") {
    yield { name: `https://github.com/${address}`, open: () => openPublic(`https://github.com/${address}`) };
  }
}

// A server in private mode answers with the page to sign in at.
async function openPublic(address) {
  const answer = await get(address);
  if (answer.headers["content-type"]?.startsWith("text/html")) {
    answer.destroy();
    throw new HTTPError(404, "a page in place of the file");
  }
  return answer;
}

// https://docs.github.com/rest/releases/releases#get-a-release-by-tag-name
// https://docs.github.com/rest/releases/assets#get-a-release-asset
async function openByAPI(api, version, name, token) {
  const headers = { authorization: `Bearer ${token}`, "x-github-api-version": "2022-11-28" };
  const answer = await get(`${api}/tags/${version}`, { ...headers, accept: "application/vnd.github+json" });
  let text = "";
  for await (const chunk of answer.setEncoding("utf8")) {
    text += chunk;
  }
  const asset = JSON.parse(text).assets?.find((a) => a.name === name);
  if (!asset) {
    throw new HTTPError(404, `the release has no ${name}`);
  }
  return get(`${api}/assets/${Number(asset.id)}`, { ...headers, accept: "application/octet-stream" });
}

async function receive(body, sum, partial) {
  const hash = crypto.createHash("sha256");
  // All is written at once: nothing must be on its way when a cancelled step removes the file.
  const file = fs.openSync(partial, "w", 0o755);
  let size = 0;
  try {
    for await (const chunk of body) {
      size += chunk.length;
      if (size > sizeLimit) {
        throw new Error(`more than ${sizeLimit} bytes`);
      }
      hash.update(chunk);
      fs.appendFileSync(file, chunk);
    }
    fs.fchmodSync(file, 0o755); // whatever the umask
    fs.fsyncSync(file);
  } finally {
    body.destroy();
    fs.closeSync(file);
  }
  const got = hash.digest("hex");
  if (got !== sum) {
    throw new Error(`its SHA-256 is ${got}, and actions/checksums.txt lists ${sum}: nothing of it was run`);
  }
}

// retried tries again what a network or a busy server may have broken.
async function retried(attempt) {
  for (const delay of retryDelays) {
    try {
      return await attempt();
    } catch (error) {
      if (!(error instanceof HTTPError ? error.passing : error.network)) {
        throw error;
      }
      log.line(`${error.message}: trying again`);
    }
    await new Promise((resolve) => setTimeout(resolve, delay));
  }
  return attempt();
}

// sweep removes what a killed download left.
function sweep(folder) {
  for (const name of fs.readdirSync(folder)) {
    const file = path.join(folder, name);
    const stat = name.includes(".partial-") && fs.statSync(file, { throwIfNoEntry: false });
    if (stat && Date.now() - stat.mtimeMs > 3600_000) {
      fs.rmSync(file, { force: true });
    }
  }
}
