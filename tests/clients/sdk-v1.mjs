// The main job with @modelcontextprotocol/sdk, the client of the versions with a handshake.

import { Client } from "@modelcontextprotocol/sdk/client/index.js";
import { StreamableHTTPClientTransport } from "@modelcontextprotocol/sdk/client/streamableHttp.js";

import { endpoint, mainJob } from "./main-job.mjs";

const { url, options } = endpoint();
const client = new Client({ name: "tests", version: "1" });
const transport = new StreamableHTTPClientTransport(url, options);
await client.connect(transport);
const seen = await mainJob({
  version: transport.protocolVersion,
  listTools: () => client.listTools(),
  call: (name, args, options) => client.callTool({ name, arguments: args }, undefined, options),
});
await client.close();
console.log(JSON.stringify({ ...seen, session: transport.sessionId ?? null }));
