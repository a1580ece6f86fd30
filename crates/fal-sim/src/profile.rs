//! How long a job takes at fal, by the category of its model: a lognormal guess around what
//! people report, kept within bounds.

use crate::hash::mix;

/// A latency distribution, in seconds.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Profile {
    median: f64,
    sigma: f64,
    least: f64,
    most: f64,
}

const fn profile(median: f64, sigma: f64, least: f64, most: f64) -> Profile {
    Profile { median, sigma, least, most }
}

impl Profile {
    /// The profile of a category of the catalogue.
    pub(crate) fn of_category(category: &str) -> Self {
        match category {
            "text-to-image" | "image-to-image" => profile(1.1, 0.5, 0.4, 3.0),
            "image-to-video" | "text-to-video" | "video-to-video" | "audio-to-video" => {
                profile(70.0, 0.5, 30.0, 200.0)
            }
            "text-to-speech" | "speech-to-speech" => profile(2.0, 0.4, 1.0, 4.0),
            "speech-to-text" | "audio-to-text" | "video-to-text" => profile(4.5, 0.5, 2.0, 10.0),
            "text-to-audio" | "audio-to-audio" | "video-to-audio" => profile(11.0, 0.2, 8.0, 15.0),
            "text-to-3d" | "image-to-3d" | "3d-to-3d" => profile(50.0, 0.5, 20.0, 120.0),
            "training" => profile(300.0, 0.4, 120.0, 900.0),
            _ => profile(1.5, 0.4, 0.5, 5.0),
        }
    }

    /// One draw, decided by `seed`.
    pub(crate) fn draw(self, seed: u64) -> f64 {
        // The sum of twelve uniform numbers is close enough to a normal one.
        let mut state = seed;
        let mut sum = -6.0;
        for _ in 0..12 {
            state = mix(state);
            sum += unit(state);
        }
        let normal: f64 = sum;
        (self.median * (self.sigma * normal).exp()).clamp(self.least, self.most)
    }
}

/// A number from 0 to 1 out of a hash.
pub(crate) fn unit(hash: u64) -> f64 {
    let high = u32::try_from(hash >> 32).unwrap_or_default();
    f64::from(high) / (f64::from(u32::MAX) + 1.0)
}

/// How many jobs of strangers are ahead of a new one: usually none, at most two.
pub(crate) fn strangers(seed: u64) -> u32 {
    match unit(mix(seed ^ 1)) {
        draw if draw < 0.6 => 0,
        draw if draw < 0.85 => 1,
        _ => 2,
    }
}

/// Seconds from the submit until a job is ready to start, however short the queue is.
pub(crate) fn dispatch_seconds(seed: u64, strangers: u32) -> f64 {
    0.08 + 0.12 * unit(mix(seed ^ 2)) + 0.6 * f64::from(strangers)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn draws_stay_within_bounds_and_depend_on_the_seed_only() {
        let profile = Profile::of_category("text-to-image");
        for seed in 0..500 {
            let draw = profile.draw(seed);
            assert!((0.4..=3.0).contains(&draw), "{draw}");
            assert!((draw - profile.draw(seed)).abs() < f64::EPSILON);
        }
        assert!((profile.draw(1) - profile.draw(2)).abs() > f64::EPSILON);
    }
}
