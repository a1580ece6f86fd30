//! The files behind the URLs in outputs: each really is what it says.

use fal_sim::{Host, Sim};
use serde_json::{Value, json};

use crate::support::{Ask, Reply, instant, submit};

async fn output(sim: &Sim, endpoint_id: &str, input: &Value) -> Value {
    let reply = submit(sim, endpoint_id, input).await.result().await;
    assert_eq!(reply.status, 200, "{}", reply.text());
    reply.json()
}

async fn file(url: &Value) -> Reply {
    let reply = Ask::get(url.as_str().unwrap()).send().await;
    assert_eq!(reply.status, 200);
    reply
}

fn big_endian(bytes: &[u8]) -> u32 {
    u32::from_be_bytes(bytes.try_into().unwrap())
}

fn little_endian(bytes: &[u8]) -> usize {
    u32::from_le_bytes(bytes.try_into().unwrap()) as usize
}

#[tokio::test]
async fn an_image_is_a_png_of_the_size_that_was_asked_for() {
    let sim = instant().await;
    let input = json!({ "prompt": "a cat", "image_size": { "width": 200, "height": 100 } });
    let output = output(&sim, "fal-ai/flux/dev", &input).await;
    let image = &output["images"][0];
    assert_eq!((&image["width"], &image["height"]), (&json!(200), &json!(100)));
    let png = file(&image["url"]).await;
    assert_eq!(png.header("content-type"), Some("image/png"));
    assert_eq!(png.body[..8], *b"\x89PNG\r\n\x1a\n");
    assert_eq!((big_endian(&png.body[16..20]), big_endian(&png.body[20..24])), (200, 100));

    // Chunk by chunk to the end; the pixels are as many as the header says.
    let (mut at, mut pixels) = (8, Vec::new());
    while at < png.body.len() {
        let length = big_endian(&png.body[at..at + 4]) as usize;
        if &png.body[at + 4..at + 8] == b"IDAT" {
            let data = &png.body[at + 8..at + 8 + length];
            std::io::copy(&mut flate2::read::ZlibDecoder::new(data), &mut pixels).unwrap();
        }
        at += length + 12;
    }
    assert_eq!(at, png.body.len());
    assert_eq!(pixels.len(), 100 * 201);
}

#[tokio::test]
async fn equal_inputs_give_equal_pictures_and_other_inputs_others() {
    let sim = instant().await;
    let size = json!({ "width": 64, "height": 64 });
    let first = json!({ "prompt": "a cat", "image_size": size });
    let other = json!({ "prompt": "a dog", "image_size": size });
    let mut files = Vec::new();
    for input in [&first, &first, &other] {
        let output = output(&sim, "fal-ai/flux/dev", input).await;
        files.push(file(&output["images"][0]["url"]).await.body);
    }
    assert_eq!(files[0], files[1]);
    assert_ne!(files[0], files[2]);
}

#[tokio::test]
async fn sync_mode_puts_the_picture_into_the_answer() {
    let sim = instant().await;
    let input = json!({ "prompt": "a cat", "sync_mode": true, "image_size": "square" });
    let output = output(&sim, "fal-ai/flux/schnell", &input).await;
    assert!(
        output["images"][0]["url"].as_str().unwrap().starts_with("data:image/png;base64,iVBOR")
    );
}

#[tokio::test]
async fn a_video_is_an_mp4_with_its_boxes() {
    let sim = instant().await;
    let output = output(&sim, "fal-ai/veo3.1", &json!({ "prompt": "waves" })).await;
    let mp4 = file(&output["video"]["url"]).await;
    assert_eq!(mp4.header("content-type"), Some("video/mp4"));
    let (mut at, mut boxes) = (0, Vec::new());
    while at < mp4.body.len() {
        boxes.push(String::from_utf8(mp4.body[at + 4..at + 8].to_vec()).unwrap());
        at += big_endian(&mp4.body[at..at + 4]) as usize;
    }
    assert_eq!(at, mp4.body.len());
    assert_eq!(boxes[0], "ftyp");
    assert!(boxes.contains(&"moov".to_owned()) && boxes.contains(&"mdat".to_owned()), "{boxes:?}");
    assert_eq!(output["video"]["file_size"], json!(mp4.body.len()));
}

#[tokio::test]
async fn a_recording_is_a_wav_of_one_second() {
    let sim = instant().await;
    let output = output(&sim, "fal-ai/minimax/speech-02-hd", &json!({ "text": "hello" })).await;
    let wav = file(&output["audio"]["url"]).await;
    assert_eq!(wav.header("content-type"), Some("audio/wav"));
    assert_eq!((&wav.body[..4], &wav.body[8..16]), (b"RIFF".as_slice(), b"WAVEfmt ".as_slice()));
    assert_eq!(little_endian(&wav.body[4..8]) + 8, wav.body.len());
    let (rate, samples) = (little_endian(&wav.body[24..28]), little_endian(&wav.body[40..44]) / 2);
    assert_eq!(rate, samples);
    assert_eq!(wav.body.len(), 44 + samples * 2);
}

#[tokio::test]
async fn a_mesh_is_a_glb_whose_chunks_add_up() {
    let sim = instant().await;
    let input = json!({ "image_url": "https://example.com/a.png" });
    let output = output(&sim, "fal-ai/hunyuan3d/v2", &input).await;
    let glb = file(&output["model_mesh"]["url"]).await;
    assert_eq!(glb.header("content-type"), Some("model/gltf-binary"));
    assert_eq!(&glb.body[..4], b"glTF");
    assert_eq!(
        (little_endian(&glb.body[4..8]), little_endian(&glb.body[8..12])),
        (2, glb.body.len())
    );
    let length = little_endian(&glb.body[12..16]);
    let scene: Value = serde_json::from_slice(&glb.body[20..20 + length]).unwrap();
    let binary = &glb.body[20 + length..];
    assert_eq!(scene["buffers"][0]["byteLength"], json!(binary.len() - 8));
    assert_eq!(&binary[4..8], b"BIN\0");
}

#[tokio::test]
async fn trained_weights_are_safetensors() {
    let sim = instant().await;
    let input = json!({ "images_data_url": "https://example.com/a.zip" });
    let output = output(&sim, "fal-ai/flux-lora-fast-training", &input).await;
    let weights = file(&output["diffusers_lora_file"]["url"]).await.body;
    let header = usize::try_from(u64::from_le_bytes(weights[..8].try_into().unwrap())).unwrap();
    let header_json: Value = serde_json::from_slice(&weights[8..8 + header]).unwrap();
    assert_eq!(header_json["lora.down"]["data_offsets"][1], json!(weights.len() - 8 - header));
    let config = file(&output["config_file"]["url"]).await;
    assert!(config.json().is_object());
}

#[tokio::test]
async fn a_file_that_was_never_handed_out_is_not_found() {
    let sim = instant().await;
    let url = format!("{}/files/b/0123abcd/aaaaaaaaaaaaaaaaaaaaa.wav", sim.host_url(Host::Cdn));
    assert_eq!(Ask::get(url).send().await.status, 404);
}
