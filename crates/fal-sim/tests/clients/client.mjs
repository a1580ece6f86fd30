// fal's own JavaScript client against a stand-in. Prints one JSON object with what came of each step.

import { client } from "./stand-in.mjs";

const { SIM_KEY, SIM_UNKNOWN_KEY } = process.env;
const MODEL = "fal-ai/flux/schnell";

async function failure(promise) {
  try {
    await promise;
    return null;
  } catch (error) {
    return { name: error.name, status: error.status, message: error.message, body: error.body };
  }
}

const fal = client(SIM_KEY);
const seen = {};

const input = { prompt: "a cat [sim:queue 0.8] [sim:slow 0.8]" };
const submitted = await fal.queue.submit(MODEL, { input });
const requestId = submitted.request_id;
seen.submitted = submitted.status;

const first = await fal.queue.status(MODEL, { requestId, logs: true });
seen.firstStatus = first.status;
seen.tooEarly = await failure(fal.queue.result(MODEL, { requestId }));

const streamed = [];
const stream = await fal.queue.streamStatus(MODEL, { requestId, logs: true });
for await (const event of stream) {
  streamed.push(event.status);
}
seen.streamed = [...new Set(streamed)];

const last = await fal.queue.status(MODEL, { requestId, logs: true });
seen.lastStatus = last.status;
seen.logLines = last.logs.length;

const result = await fal.queue.result(MODEL, { requestId });
seen.resultRequestId = result.requestId === requestId;
seen.image = result.data.images[0].content_type;

const updates = [];
const subscribed = await fal.subscribe(MODEL, {
  input: { prompt: "a dog [sim:queue 0.1] [sim:slow 0.2]" },
  pollInterval: 20,
  onQueueUpdate: (update) => updates.push(update.status),
});
seen.subscribed = subscribed.data.prompt;
seen.updates = [...new Set(updates)];

const run = await fal.run(MODEL, { input: { prompt: "a bird" } });
seen.run = run.data.prompt;

const slow = await fal.queue.submit(MODEL, { input: { prompt: "[sim:slow 60]" } });
await fal.queue.cancel(MODEL, { requestId: slow.request_id });
const cancelled = await fal.queue.status(MODEL, { requestId: slow.request_id, logs: false });
seen.cancelled = cancelled.error_type;

seen.invalid = await failure(fal.run(MODEL, { input: { num_images: 9 } }));
seen.refused = await failure(client(SIM_UNKNOWN_KEY).run(MODEL, { input }));

const text = "what goes up must come back";
const uploaded = await fal.storage.upload(new Blob([text], { type: "text/plain" }));
const back = await fetch(uploaded);
seen.uploaded = (await back.text()) === text;
seen.uploadedType = back.headers.get("content-type");

console.log(JSON.stringify(seen));
