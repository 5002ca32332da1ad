"use strict";
// Checks out as actions/checkout does: into an empty workspace, and without the history
// that was not asked for. act's own way copies the caller's folder instead, whatever `ref` says.

const { execFileSync } = require("node:child_process");
const { env } = process;

const git = (...args) => execFileSync("git", ["-C", env.GITHUB_WORKSPACE, ...args], { stdio: "inherit" });

git("init", "--quiet");
git("remote", "add", "origin", `${env.GITHUB_SERVER_URL}/${env.GITHUB_REPOSITORY}`);
git("fetch", "--quiet", "--no-tags", `--depth=${env["INPUT_FETCH-DEPTH"]}`, "origin", env.INPUT_REF || env.GITHUB_SHA);
git("checkout", "--quiet", "--detach", "FETCH_HEAD");
