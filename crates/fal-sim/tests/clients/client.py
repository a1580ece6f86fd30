"""fal's own Python client, unchanged, against a stand-in.

FAL_RUN_HOST, FAL_QUEUE_RUN_HOST and SSL_CERT_FILE point it there. Prints one JSON object with
what came of each step. Uploads are not tried: their hosts are fixed in the client.
"""

import json
import os

import fal_client

MODEL = "fal-ai/flux/schnell"


def failure(call):
    try:
        call()
    except fal_client.FalClientHTTPError as error:
        return {"status": error.status_code, "message": str(error)}
    return None


def named(events):
    names = []
    for event in events:
        name = type(event).__name__
        if name not in names:
            names.append(name)
    return names


seen = {}
client = fal_client.SyncClient(key=os.environ["SIM_KEY"])

handle = client.submit(MODEL, arguments={"prompt": "a cat [sim:queue 0.8] [sim:slow 0.8]"})
seen["first_status"] = type(handle.status(with_logs=True)).__name__
events = list(handle.iter_events(with_logs=True, interval=0.02))
seen["events"] = named(events)
seen["log_lines"] = len(events[-1].logs)
seen["inference_time"] = events[-1].metrics.get("inference_time")
seen["image"] = handle.get()["images"][0]["content_type"]
seen["result_again"] = client.result(MODEL, handle.request_id)["prompt"][:5]

seen["run"] = client.run(MODEL, arguments={"prompt": "a bird"})["prompt"]
seen["stream"] = list(client.stream(MODEL, arguments={"prompt": "a fish"}))[-1]["prompt"]

slow = client.submit(MODEL, arguments={"prompt": "[sim:slow 60]"})
slow.cancel()
seen["cancelled"] = type(slow.status()).__name__
seen["cancelled_result"] = failure(slow.get)

bad = client.submit(MODEL, arguments={"num_images": 9})
seen["invalid"] = failure(bad.get)

stranger = fal_client.SyncClient(key=os.environ["SIM_UNKNOWN_KEY"])
seen["refused"] = failure(lambda: stranger.run(MODEL, arguments={"prompt": "a cat"}))

print(json.dumps(seen))
