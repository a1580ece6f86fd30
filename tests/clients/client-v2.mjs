// The main job with @modelcontextprotocol/client. The argument is how it negotiates the version:
// `legacy`, `auto`, or a version that it insists on.

import { Client, StreamableHTTPClientTransport } from "@modelcontextprotocol/client";

import { endpoint, mainJob } from "./main-job.mjs";

const wanted = process.argv[2];
const mode = ["legacy", "auto"].includes(wanted) ? wanted : { pin: wanted };
const { url, options } = endpoint();
const client = new Client({ name: "tests", version: "1" }, { versionNegotiation: { mode } });
const transport = new StreamableHTTPClientTransport(url, options);
await client.connect(transport);
const seen = await mainJob({
  version: client.getNegotiatedProtocolVersion(),
  listTools: () => client.listTools(),
  call: (name, args, options) => client.callTool({ name, arguments: args }, options),
});
await client.close();
console.log(JSON.stringify({ ...seen, session: transport.sessionId ?? null }));
