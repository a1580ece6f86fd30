// fal's own JavaScript client, unchanged, pointed at a stand-in: its requests to fal's hosts are sent
// to the stand-in's prefixes instead.

import { createFalClient } from "@fal-ai/client";

const { SIM_URL } = process.env;

const PREFIXES = {
  "queue.fal.run": "queue",
  "fal.run": "run",
  "rest.fal.ai": "rest",
  "rest.alpha.fal.ai": "rest",
};

function toStandIn(input, init) {
  const url = new URL(input);
  const prefix = PREFIXES[url.hostname];
  if (prefix) {
    return fetch(`${SIM_URL}/${prefix}${url.pathname}${url.search}`, init);
  }
  if (!url.href.startsWith(SIM_URL)) {
    throw new Error(`a request left for ${url.hostname}`);
  }
  return fetch(url, init);
}

/** A client with this key. */
export function client(credentials) {
  return createFalClient({
    credentials,
    fetch: toStandIn,
    suppressLocalCredentialsWarning: true,
    retry: { maxRetries: 0 },
  });
}
