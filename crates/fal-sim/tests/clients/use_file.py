"""fal's own Python client uses a file as a model's input, after reading it by its URL.

FAL_RUN_HOST, FAL_QUEUE_RUN_HOST and SSL_CERT_FILE point it at a stand-in. Prints one JSON object with
what came of it.
"""

import hashlib
import json
import os

import fal_client
import httpx

MODEL = "fal-ai/kling-video/v3/pro/image-to-video"

url = os.environ["FILE_URL"]
back = httpx.get(url)
client = fal_client.SyncClient(key=os.environ["SIM_KEY"])
output = client.subscribe(MODEL, arguments={"prompt": "it moves", "image_url": url})

seen = {
    "type": back.headers["content-type"],
    "sha256": hashlib.sha256(back.content).hexdigest(),
    "output": output["video"]["content_type"],
}
print(json.dumps(seen))
