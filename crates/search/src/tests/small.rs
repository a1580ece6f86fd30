//! A catalogue of a dozen records by hand: the rules that must hold whatever the real one looks like.

use super::super::{Index, Kind, Media, Query, Record, Status};
use super::catalogue::record;

/// In the order of popularity.
fn records() -> Vec<Record> {
    let mut records = vec![
        record(
            "fal-ai/nano/edit",
            "Nano Edit",
            "image-to-image",
            "Edits images, also text to image.",
        ),
        record("fal-ai/flux/schnell", "FLUX.1 [schnell]", "text-to-image", "Fast text to image."),
        record("fal-ai/flux/dev", "FLUX.1 [dev]", "text-to-image", "A flow transformer."),
        record(
            "fal-ai/flux/dev/image-to-image",
            "FLUX.1 [dev]",
            "image-to-image",
            "A flow transformer.",
        ),
        record(
            "fal-ai/kling-video/v3/pro/image-to-video",
            "Kling 3.0 Pro",
            "image-to-video",
            "Cinematic.",
        ),
        record(
            "fal-ai/kling-video/v3/pro/text-to-video",
            "Kling 3.0 Pro",
            "text-to-video",
            "Cinematic.",
        ),
        record("fal-ai/birefnet", "BiRefNet", "image-to-image", "Background removal for photos."),
        record(
            "fal-ai/flux-lora/inpainting",
            "FLUX with LoRAs",
            "text-to-image",
            "Inpaints images.",
        ),
        record("fal-ai/topaz/upscale/video", "Topaz", "video-to-video", "Video upscaling."),
        record(
            "fal-ai/audio-understanding",
            "Audio Understanding",
            "audio-to-audio",
            "Answers questions about audio, also transcription.",
        ),
        record("fal-ai/whisper", "Whisper", "speech-to-text", "Speech transcription."),
        record("fal-ai/minimax/speech", "MiniMax Speech", "text-to-speech", "Speech from text."),
        record("fal-ai/flux-lora-training", "Train Flux LoRA", "training", "Trains styles."),
    ];
    let mut old = record("fal-ai/flux/old", "FLUX old", "text-to-image", "Text to image.");
    old.status = Status::Deprecated;
    records.push(old);
    records
}

const ALL: Query<'static> =
    Query { text: None, category: None, kind: None, status: Status::Active };

fn ids(index: &Index, query: &Query<'_>) -> Vec<String> {
    let found = index.search(query).ranked;
    found.iter().map(|position| index.record(*position).unwrap().endpoint_id.clone()).collect()
}

fn search(text: &str) -> Vec<String> {
    ids(&Index::build(records()), &Query { text: Some(text), ..ALL })
}

fn recommend(task: &str) -> Vec<String> {
    let index = Index::build(records());
    let picks = index.recommend(task).picks;
    picks.iter().map(|pick| index.record(pick.position).unwrap().endpoint_id.clone()).collect()
}

#[test]
fn an_exact_id_comes_first_and_then_what_lies_under_it() {
    let expected = ["fal-ai/flux/dev", "fal-ai/flux/dev/image-to-image"];
    for text in [
        "fal-ai/flux/dev",
        "flux/dev",
        "FAL-AI/Flux/dev",
        "https://fal.ai/models/fal-ai/flux/dev/api?x=1",
    ] {
        assert_eq!(search(text)[..2], expected, "{text}");
    }
}

#[test]
fn an_id_is_found_whatever_stands_between_its_words() {
    for text in
        ["fal-ai-flux-dev-image-to-image", "flux dev image_to_image", "flux/dev image to image"]
    {
        assert_eq!(search(text)[0], "fal-ai/flux/dev/image-to-image", "{text}");
    }
}

#[test]
fn a_version_is_found_in_an_id_that_writes_it_with_a_dash() {
    let ids_of = ["fal-ai/sam-3/image", "fal-ai/sam-3-1/image"];
    let of = ids_of.map(|id| record(id, "Segment Anything", "image-to-image", ""));
    let index = Index::build(of.to_vec());
    assert_eq!(ids(&index, &Query { text: Some("sam 3.1"), ..ALL })[0], ids_of[1]);
}

#[test]
fn a_word_that_people_use_is_not_taken_for_a_misspelt_other_one() {
    let talking = record("a/talking", "Talking", "image-to-video", "A talking avatar.");
    let index = Index::build(vec![talking]);
    let read = |text| super::super::query::Reading::new(&index, text, 1).tokens;
    assert_eq!(read("walking")[0].word, "walking");
    assert_eq!(read("talkking")[0].word, "talking");
}

#[test]
fn the_synonyms_of_the_field_find_the_same_model() {
    for (text, id) in [
        ("rembg", "fal-ai/birefnet"),
        ("cut-out", "fal-ai/birefnet"),
        ("remove the background", "fal-ai/birefnet"),
        ("stt", "fal-ai/whisper"),
        ("transcribing", "fal-ai/whisper"),
        ("tts", "fal-ai/minimax/speech"),
        ("super resolution", "fal-ai/topaz/upscale/video"),
        ("i2v", "fal-ai/kling-video/v3/pro/image-to-video"),
        ("txt2img", "fal-ai/flux/schnell"),
    ] {
        assert_eq!(search(text).first().map(String::as_str), Some(id), "{text}");
    }
}

#[test]
fn a_misspelt_or_unfinished_word_is_found() {
    for (text, id) in [
        ("wisper", "fal-ai/whisper"),
        ("backgruond removal", "fal-ai/birefnet"),
        ("klign text to video", "fal-ai/kling-video/v3/pro/text-to-video"),
        ("speech to txet", "fal-ai/whisper"),
        ("schne", "fal-ai/flux/schnell"),
        ("mini", "fal-ai/minimax/speech"),
    ] {
        assert_eq!(search(text).first().map(String::as_str), Some(id), "{text}");
    }
}

#[test]
fn a_far_commoner_word_is_meant_rather_than_the_beginning_of_a_rare_one() {
    let common = (0..20).map(|n| record(&format!("a/{n}"), "Palette", "text-to-image", ""));
    let rare = record("a/rare", "Paletown", "text-to-image", "");
    let index = Index::build(std::iter::once(rare).chain(common).collect());
    let first = |text: &str| ids(&index, &Query { text: Some(text), ..ALL })[0].clone();
    assert_eq!(first("palete"), "a/0");
    assert_eq!(first("paleto"), "a/rare");
}

#[test]
fn a_category_in_the_words_ranks_and_a_category_argument_filters() {
    assert_eq!(search("kling text to video")[0], "fal-ai/kling-video/v3/pro/text-to-video");
    assert_eq!(search("kling image to video")[0], "fal-ai/kling-video/v3/pro/image-to-video");
    let index = Index::build(records());
    let query = Query { text: Some("kling"), category: Some("text-to-video"), ..ALL };
    assert_eq!(ids(&index, &query), ["fal-ai/kling-video/v3/pro/text-to-video"]);
    let query = Query { category: Some("no-such"), ..ALL };
    assert_eq!(ids(&index, &query), Vec::<String>::new());
}

#[test]
fn deprecated_and_training_models_are_found_only_when_asked_for() {
    let index = Index::build(records());
    let plain = ids(&index, &Query { text: Some("flux"), ..ALL });
    assert!(!plain.iter().any(|id| id.ends_with("training") || id.ends_with("old")), "{plain:?}");
    assert!(!ids(&index, &ALL).contains(&"fal-ai/flux-lora-training".to_owned()));
    for text in ["train a lora", "flux LoRA training", "fine-tune", "fal-ai/flux-lora-training"] {
        let found = ids(&index, &Query { text: Some(text), ..ALL });
        assert_eq!(found.first().map(String::as_str), Some("fal-ai/flux-lora-training"), "{text}");
    }
    let training = Query { kind: Some(Kind::Training), ..ALL };
    assert_eq!(ids(&index, &training), ["fal-ai/flux-lora-training"]);
    let deprecated = Query { status: Status::Deprecated, ..ALL };
    assert_eq!(ids(&index, &deprecated), ["fal-ai/flux/old"]);
}

#[test]
fn without_words_the_order_is_the_catalogues() {
    let index = Index::build(records());
    assert_eq!(index.search(&ALL).ranked, (0..12).collect::<Vec<u32>>());
    for blank in ["", "  "] {
        assert_eq!(index.search(&Query { text: Some(blank), ..ALL }).ranked.len(), 12);
    }
}

#[test]
fn popularity_highlighting_and_recency_break_ties() {
    let twin = |id: &str| record(id, "Twin", "text-to-image", "The same words.");
    let mut records = vec![twin("a/one"), twin("a/two"), twin("a/three")];
    let first = |records: &[Record]| {
        ids(&Index::build(records.to_vec()), &Query { text: Some("same words"), ..ALL })
    };
    assert_eq!(first(&records), ["a/one", "a/two", "a/three"]);
    records[1].highlighted = true;
    assert_eq!(first(&records)[0], "a/two");
    records[1].highlighted = false;
    records[0].date = Some("2022-01-01T00:00:00Z".to_owned());
    records[2].date = Some("2026-01-01T00:00:00Z".to_owned());
    assert_eq!(first(&records)[0], "a/three");
}

#[test]
fn an_answer_is_the_same_each_time() {
    let query = Query { text: Some("fast image model"), ..ALL };
    let first = Index::build(records()).search(&query);
    for _ in 0..5 {
        assert_eq!(Index::build(records()).search(&query), first);
    }
}

#[test]
fn any_text_is_answered() {
    let long = "word ".repeat(10_000);
    let digits = "9".repeat(5_000);
    let cases = [
        "",
        "?",
        "…",
        "a",
        "the",
        "\u{0}",
        "日本語の画像",
        "🦊",
        "/",
        "https://",
        "v",
        "2",
        "x2y2z",
        "..",
        &long,
        &digits,
    ];
    let index = Index::build(records());
    let none = Index::build(Vec::new());
    for index in [&index, &none] {
        for text in cases {
            index.search(&Query { text: Some(text), ..ALL });
            index.recommend(text);
            index.nearest(text, 3);
        }
    }
    assert_eq!(none.recommend("upscale an image").picks, []);
}

#[test]
fn a_text_to_image_task_is_never_given_a_model_that_needs_an_image() {
    for task in [
        "generate an image of a fox",
        "a picture of a castle",
        "create a logo",
        "text to image",
        "generate an image to edit later",
    ] {
        let picks = recommend(task);
        assert_eq!(picks, ["fal-ai/flux/schnell", "fal-ai/flux/dev"], "{task}");
    }
}

#[test]
fn input_output_and_operation_are_read_from_a_sentence() {
    let index = Index::build(records());
    let task = |text: &str| index.recommend(text).task;
    let read = task("turn this product photo into a 5 second vertical video under 50 cents");
    assert_eq!(read.category.as_deref(), Some("image-to-video"));
    assert!(read.inputs.contains(Media::Image) && read.inputs.contains(Media::Text));
    assert_eq!(read.output, Some(Media::Video));
    assert_eq!(read.operation, Some("animation of a still image"));
    assert_eq!(read.hints.duration_seconds, Some(5.0));
    assert_eq!(read.hints.aspect_ratio, Some("9:16"));
    assert_eq!(read.hints.budget_usd, Some(0.5));
    let read = task("remove the background from my video");
    assert_eq!(read.operation, Some("background removal"));
    assert_eq!(read.category.as_deref(), Some("video-to-video"));
    let read = task("generate a video of a train in the mountains");
    assert_eq!(read.category.as_deref(), Some("text-to-video"));
}

#[test]
fn the_first_pick_fits_the_task() {
    for (task, id) in [
        ("turn this photo into a video", "fal-ai/kling-video/v3/pro/image-to-video"),
        ("cut out the person in this picture", "fal-ai/birefnet"),
        ("upscale my clip", "fal-ai/topaz/upscale/video"),
        ("write down what is said in this recording", "fal-ai/whisper"),
        ("transcribe this recording", "fal-ai/whisper"),
        ("what can be heard in this recording?", "fal-ai/audio-understanding"),
        ("read this article aloud", "fal-ai/minimax/speech"),
        ("train a lora on my dog", "fal-ai/flux-lora-training"),
        ("edit this photo", "fal-ai/nano/edit"),
    ] {
        assert_eq!(recommend(task).first().map(String::as_str), Some(id), "{task}");
    }
}

#[test]
fn a_pick_says_why_in_facts() {
    let index = Index::build(records());
    let picks = index.recommend("remove the background from this photo").picks;
    assert_eq!(
        picks[0].reasons,
        ["Number 3 in image-to-image by popularity.", "Made for background removal."]
    );
}

#[test]
fn a_wrong_id_is_answered_with_living_ones_near_it() {
    let index = Index::build(records());
    for (wrong, near) in [
        ("fal-ai/flux/schnel", "fal-ai/flux/schnell"),
        ("fal-ai/kling-video/v2/pro/image-to-video", "fal-ai/kling-video/v3/pro/image-to-video"),
        ("whisper", "fal-ai/whisper"),
        ("fal-ai/birefnet/v2", "fal-ai/birefnet"),
    ] {
        assert_eq!(index.nearest(wrong, 1), [near], "{wrong}");
    }
    let near = index.nearest("fal-ai/flux/old", 5);
    assert!(!near.is_empty() && !near.contains(&"fal-ai/flux/old"), "{near:?}");
    assert_eq!(index.nearest("qqqq/zzzzzzzz", 5), Vec::<&str>::new());
}

#[test]
fn categories_are_counted_without_deprecated_models() {
    let index = Index::build(records());
    assert_eq!(
        index.categories()[..2],
        [("image-to-image".to_owned(), 3), ("text-to-image".to_owned(), 3)]
    );
    assert!(index.bytes() > 10_000);
}
