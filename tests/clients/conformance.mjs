// The official conformance suite against ENDPOINT, with KEY added to each request: the suite can send
// no header of its own. Its fixture tools are played by ours where one of ours does the same. Exits
// with 0 where everything fails that is listed in conformance/*.yml, and nothing else.
//
// Arguments: a version of the protocol, or `tasks` for the scenarios of that extension.
import { spawn } from "node:child_process";
import http from "node:http";
import { createRequire } from "node:module";

const TASKS = [
  "tasks-lifecycle",
  "tasks-capability-negotiation",
  "tasks-wire-fields",
  "tasks-request-state-removal",
  "tasks-mrtr-input",
  "tasks-request-headers",
  "tasks-dispatch-and-envelope",
  "tasks-status-notifications",
  "tasks-required-task-error",
  "tasks-mrtr-composition",
];

const MODEL = "fal-ai/flux/schnell";
const run = (prompt, more) => ({
  name: "run_model",
  arguments: { endpoint_id: MODEL, input: { prompt }, ...more },
});
const FIXTURES = {
  test_simple_text: () => ({ name: "get_pricing", arguments: { endpoint_id: MODEL } }),
  test_image_content: () => run("a cat", { preview: true }),
  test_error_handling: () => run(7),
  test_tool_with_progress: () => run("a cat [sim:queue 2.3][sim:slow 1.5]"),
  greet: () => ({ name: "get_pricing", arguments: { endpoint_id: MODEL } }),
  slow_compute: ({ seconds }) => run(`a cat [sim:queue 0][sim:slow ${seconds}]`),
  failing_job: () => run("a cat [sim:queue 0][sim:slow 1][sim:fail runner_server_error]"),
  protocol_error_job: () => run("a cat [sim:queue 0][sim:slow 1][sim:fail internal_error]"),
  confirm_delete: () => run("a cat [sim:queue 0][sim:slow 1]"),
  multi_input: () => run("a cat [sim:queue 0][sim:slow 1]"),
};

const upstream = new URL(process.env.ENDPOINT);

// What the suite sends, as the gateway's caller would have sent it.
function translated(headers, body) {
  const { host, origin, ...rest } = headers;
  const ours = (text) => text?.replace(`:${proxy.address().port}`, `:${upstream.port}`);
  const translatedHeaders = { ...rest, host: ours(host), authorization: `Bearer ${process.env.KEY}` };
  if (origin) translatedHeaders.origin = ours(origin);
  let message;
  try {
    message = JSON.parse(body);
  } catch {
    return [translatedHeaders, body];
  }
  const fixture = message.method === "tools/call" && FIXTURES[message.params?.name];
  if (!fixture) return [translatedHeaders, body];
  if (translatedHeaders["mcp-name"] === message.params.name) {
    translatedHeaders["mcp-name"] = fixture({}).name;
  }
  Object.assign(message.params, fixture(message.params.arguments ?? {}));
  return [translatedHeaders, Buffer.from(JSON.stringify(message))];
}

const proxy = http.createServer(async (request, response) => {
  const pieces = [];
  for await (const piece of request) pieces.push(piece);
  const [headers, body] = translated(request.headers, Buffer.concat(pieces));
  const options = { method: request.method, headers: { ...headers, "content-length": body.length } };
  const passedOn = http.request(new URL(request.url, upstream), options, (answer) => {
    response.writeHead(answer.statusCode, answer.headers);
    answer.pipe(response);
  });
  response.on("close", () => passedOn.destroy());
  passedOn.on("error", () => response.destroy());
  passedOn.end(body);
});

// The suite needs Node 22; where this is an older one, a newer is installed beside it.
function newerNode() {
  if (Number(process.versions.node.split(".")[0]) >= 22) return process.execPath;
  const platform = `node-${process.platform}-${process.arch}`;
  return createRequire(import.meta.url).resolve(`${platform}/bin/node`);
}

function suite(baseline, ...options) {
  const url = `http://127.0.0.1:${proxy.address().port}${upstream.pathname}`;
  const expected = `conformance/${baseline}.yml`;
  const command = ["node_modules/@modelcontextprotocol/conformance/dist/index.js", "server"];
  const all = [...command, "--url", url, "--expected-failures", expected, ...options];
  const child = spawn(newerNode(), all, { stdio: ["ignore", "inherit", "inherit"] });
  return new Promise((resolve) => child.on("close", resolve));
}

proxy.listen(0, "127.0.0.1", async () => {
  const what = process.argv[2];
  const codes =
    what === "tasks"
      ? await Promise.all(TASKS.map((scenario) => suite("tasks", "--scenario", scenario)))
      : [await suite(what, "--suite", "all", "--spec-version", what)];
  process.exit(codes.every((code) => code === 0) ? 0 : 1);
});
