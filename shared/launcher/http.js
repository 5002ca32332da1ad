"use strict";
// GET over HTTP, directly or through a proxy. Node itself heeds HTTPS_PROXY from version
// 24 on, and only when it was started for it.

const http = require("node:http");
const https = require("node:https");
const tls = require("node:tls");

const silence = 30_000; // milliseconds without a byte, after which a connection is given up

class HTTPError extends Error {
  constructor(status, text) {
    super(`${status} ${text}`);
    this.status = status;
  }
  // passing: it may be another answer the next time.
  get passing() {
    return this.status === 429 || this.status >= 500;
  }
  // elsewhere: it is not here, or not for us.
  get elsewhere() {
    return [401, 403, 404, 410].includes(this.status);
  }
}

// get returns the body of an answer, a stream. It follows redirects, without the headers
// on another host. An answer that is no success is an HTTPError; what breaks on the way has
// the property network.
async function get(address, headers = {}, redirects = 5) {
  const url = new URL(address);
  const answer = await request(url, { "user-agent": "terraform-gitops", ...headers }).catch(network);
  if (answer.statusCode >= 300 && answer.statusCode < 400 && answer.headers.location) {
    answer.resume();
    const next = new URL(answer.headers.location, url);
    if (redirects === 0 || (url.protocol === "https:" && next.protocol !== "https:")) {
      throw new Error(`a redirect to ${next.origin} is not followed`);
    }
    return get(next, next.origin === url.origin ? headers : {}, redirects - 1);
  }
  if (answer.statusCode !== 200) {
    answer.resume();
    throw new HTTPError(answer.statusCode, http.STATUS_CODES[answer.statusCode] ?? "");
  }
  answer.on("error", (error) => {
    error.message = `the answer broke off: ${error.message}`;
    error.network = true;
  });
  return answer;
}

function network(error) {
  error.network = true;
  throw error;
}

async function request(url, headers) {
  const secure = url.protocol === "https:";
  const proxy = proxyFor(url);
  let options = { headers, agent: false };
  if (proxy && secure) {
    const socket = await tunnel(proxy, url);
    options = { headers, defaultPort: 443, createConnection: () => tls.connect({ socket, servername: url.hostname }) };
  }
  return new Promise((resolve, reject) => {
    const sent = (secure ? https : http).get(url, options, resolve).on("error", reject);
    sent.setTimeout(silence, () => sent.destroy(new Error(`${url.host} sent nothing for ${silence / 1000} s`)));
  });
}

// tunnel asks a proxy for a connection to a host (RFC 9110, CONNECT).
function tunnel(proxy, url) {
  const authority = `${url.hostname}:${url.port || 443}`;
  const headers = { host: authority };
  if (proxy.username) {
    const user = `${decodeURIComponent(proxy.username)}:${decodeURIComponent(proxy.password)}`;
    headers["proxy-authorization"] = `Basic ${Buffer.from(user).toString("base64")}`;
  }
  return new Promise((resolve, reject) => {
    const module = proxy.protocol === "https:" ? https : http;
    const ask = module.request(proxy, { method: "CONNECT", path: authority, headers, agent: false });
    ask.setTimeout(silence, () => ask.destroy(new Error(`the proxy ${proxy.host} sent nothing for ${silence / 1000} s`)));
    ask.on("error", (error) => reject(new Error(`the proxy ${proxy.host}: ${error.message || error.code}`)));
    ask.on("connect", (answer, socket) => {
      if (answer.statusCode === 200) {
        resolve(socket);
        return;
      }
      socket.destroy();
      reject(new HTTPError(answer.statusCode, `from the proxy ${proxy.host}`));
    });
    ask.end();
  });
}

// proxyFor is the proxy for an address, as curl chooses it: NO_PROXY lists hosts, which
// mean their subdomains too, or is "*". https://everything.curl.dev/usingcurl/proxies/env.html
// Plain http is for a server on the inside, and goes there directly.
function proxyFor(url) {
  const variable = (name) => process.env[name.toLowerCase()] || process.env[name] || "";
  const proxy = variable("HTTPS_PROXY");
  if (!proxy) {
    return undefined;
  }
  const direct = variable("NO_PROXY").split(",").some((entry) => {
    const [host, port] = entry.trim().toLowerCase().replace(/^\*?\./, "").split(":");
    const here = url.hostname === host || url.hostname.endsWith(`.${host}`);
    return host === "*" || (host !== "" && here && (!port || port === (url.port || "443")));
  });
  return direct ? undefined : new URL(proxy.includes("://") ? proxy : `http://${proxy}`);
}

module.exports = { get, HTTPError };
