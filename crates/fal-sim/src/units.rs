//! How many of a model's billing units a finished job took.

use crate::input::Input;
use crate::models::Model;
use crate::queue::job::Job;

/// The value of `X-Fal-Billable-Units`. None for models billed by compute seconds, whose bill
/// follows from `metrics.inference_time` instead.
pub(crate) fn billed(model: &Model, job: &Job) -> Option<String> {
    let unit = model.price.as_ref().map_or("requests", |price| price.unit.as_str());
    let input = Input::read(&job.input);
    let units = match unit {
        "compute seconds" => return None,
        "images" => whole(input.count()),
        "megapixels" | "processed megapixels" => megapixels(input.size()) * whole(input.count()),
        "seconds" | "input seconds" => input.seconds(),
        "5 seconds" => (input.seconds() / 5.0).ceil(),
        "minutes" => (input.seconds() / 60.0).max(0.1),
        "1000 characters" => whole(input.letters()) / 1000.0,
        // Four letters to a token, and as many again for the answer.
        "1000 tokens" => whole(input.letters() / 2 + 40) / 1000.0,
        "units" => input.get("steps").and_then(serde_json::Value::as_f64).unwrap_or(1000.0),
        "credits" => 20.0,
        _ => 1.0,
    };
    Some(format!("{}", (units * 10_000.0).round() / 10_000.0))
}

/// Whole megapixels, rounded up.
fn megapixels((width, height): (u32, u32)) -> f64 {
    (f64::from(width) * f64::from(height) / 1e6).ceil()
}

fn whole(count: usize) -> f64 {
    f64::from(u32::try_from(count).unwrap_or(u32::MAX))
}
