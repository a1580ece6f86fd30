// The main job with an official client that is connected already: list the tools, find a model, read
// its schema, run it, download the image, run a slow one with progress, fail once. Answers with what
// was seen.

const PNG = [0x89, 0x50, 0x4e, 0x47];

/** Where the endpoint is and which key to use: from the environment, as the test sets it. */
export function endpoint() {
  const { ENDPOINT, KEY } = process.env;
  if (!ENDPOINT || !KEY) throw new Error("ENDPOINT and KEY are not set");
  return {
    url: new URL(ENDPOINT),
    options: { requestInit: { headers: { Authorization: `Bearer ${KEY}` } } },
  };
}

/** A result's text block, read as JSON. */
function read(result) {
  return JSON.parse(result.content[0].text);
}

/** `call(name, args, options)` calls a tool, `listTools()` lists them. */
export async function mainJob({ version, listTools, call }) {
  const { tools } = await listTools();
  const found = read(await call("search_models", { query: "text to image" }));
  const { endpoint_id } = found.models.find((model) => model.category === "text-to-image");
  const { example_input: input } = read(await call("get_model_schema", { endpoint_id }));
  const run = read(await call("run_model", { endpoint_id, input }));
  const image = run.media[0].url;
  const bytes = new Uint8Array(await (await fetch(image)).arrayBuffer());

  const progress = [];
  const slow = { endpoint_id, input: { ...input, prompt: "a cat [sim:queue 2.3][sim:slow 0.2]" } };
  const options = { onprogress: (update) => progress.push(update) };
  const waited = read(await call("run_model", slow, options));

  const refused = await call("run_model", { endpoint_id: "fal-ai/no-such/model", input: {} });
  return {
    version,
    tools: tools.length,
    endpoint_id,
    image,
    is_png: PNG.every((byte, at) => bytes[at] === byte),
    progress: progress.map((update) => update.progress),
    messages: progress.map((update) => update.message),
    waited: waited.status,
    waited_for: waited.request_id,
    refused: refused.isError === true ? read(refused).error : null,
  };
}
