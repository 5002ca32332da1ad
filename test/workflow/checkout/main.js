"use strict";
// Checks out as actions/checkout does: without the history that was not asked for, and a second
// time into the same workspace. act's own way copies the caller's folder instead, whatever `ref` says.

const { execFileSync } = require("node:child_process");
const { existsSync } = require("node:fs");
const { env } = process;

const git = (...args) => execFileSync("git", ["-C", env.GITHUB_WORKSPACE, ...args], { stdio: "inherit" });

if (!existsSync(`${env.GITHUB_WORKSPACE}/.git`)) {
  git("init", "--quiet");
  git("remote", "add", "origin", `${env.GITHUB_SERVER_URL}/${env.GITHUB_REPOSITORY}`);
} else if (env.INPUT_CLEAN === "true") {
  git("clean", "--quiet", "-ffdx");
}
git("fetch", "--quiet", "--no-tags", `--depth=${env["INPUT_FETCH-DEPTH"]}`, "origin", env.INPUT_REF || env.GITHUB_SHA);
git("checkout", "--quiet", "--force", "--detach", "FETCH_HEAD");
