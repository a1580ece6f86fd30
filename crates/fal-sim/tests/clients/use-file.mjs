// fal's own JavaScript client reads a file by its URL and uses it as a model's input. Prints one JSON
// object with what came of it.

import { createHash } from "node:crypto";

import { client } from "./stand-in.mjs";

const { SIM_KEY, FILE_URL } = process.env;
const MODEL = "fal-ai/kling-video/v3/pro/image-to-video";

const back = await fetch(FILE_URL);
const bytes = Buffer.from(await back.arrayBuffer());
const input = { prompt: "it moves", image_url: FILE_URL };
const { data } = await client(SIM_KEY).subscribe(MODEL, { input, pollInterval: 20 });

console.log(
  JSON.stringify({
    type: back.headers.get("content-type"),
    sha256: createHash("sha256").update(bytes).digest("hex"),
    output: data.video.content_type,
  }),
);
