//! Variations of our own models, for lists of any length.

use super::built_in::{Declaration, Mark};

/// Adds variations of the public models until there are `at_least` models.
pub(super) fn extend(models: &mut Vec<Declaration>, at_least: usize) {
    let originals: Vec<Declaration> = models
        .iter()
        .filter(|model| {
            !model.is(Mark::Private) && !model.is(Mark::Lost) && !model.is(Mark::ExpansionFails)
        })
        .cloned()
        .collect();
    for round in 2.. {
        for original in &originals {
            if models.len() >= at_least {
                return;
            }
            models.push(variation(original, round));
        }
        if originals.is_empty() {
            return;
        }
    }
}

/// The same model under another app: `fal-ai/flux-r2/dev`.
fn variation(original: &Declaration, round: u32) -> Declaration {
    let mut parts = original.id.splitn(3, '/');
    let owner = parts.next().unwrap_or("fal-ai");
    let app = parts.next().unwrap_or("app");
    let rest = parts.next().map(|rest| format!("/{rest}")).unwrap_or_default();
    Declaration {
        id: format!("{owner}/{app}-r{round}{rest}"),
        name: format!("{} r{round}", original.name),
        description: format!("{} Release {round}.", original.description),
        ..original.clone()
    }
}
