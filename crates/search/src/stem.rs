//! A light stemmer for the words of this field: `upscaling`, `upscaler` and `upscale` become one
//! term. It only has to be consistent between catalogue and query; what it makes is never shown.

use super::text::is_one_of;

/// Words whose ending is not a suffix, or whose stem would be another word of the field.
const WHOLE: &str = "anime lightning string speed during music series lens canvas";

/// Suffixes, longest first, with the least number of letters that must be left over.
const SUFFIXES: [(&str, usize); 17] = [
    ("ational", 4),
    ("ations", 4),
    ("ation", 4),
    ("ative", 4),
    ("ators", 4),
    ("ator", 4),
    ("ating", 4),
    ("ated", 4),
    ("ment", 5),
    ("ate", 4),
    ("ing", 3),
    ("ion", 4),
    ("ed", 3),
    ("er", 5),
    ("or", 5),
    ("al", 5),
    ("ly", 5),
];

/// The stem of a word in lower case. Words with a digit and short ones stay as they are.
pub(super) fn stem(word: &str) -> String {
    if word.len() <= 3
        || !word.bytes().all(|byte| byte.is_ascii_lowercase())
        || is_one_of(WHOLE, word)
    {
        return word.to_owned();
    }
    let singular = singular(word);
    if is_one_of(WHOLE, &singular) {
        return singular;
    }
    let mut base = singular.clone();
    for (suffix, least) in SUFFIXES {
        if let Some(rest) = singular.strip_suffix(suffix)
            && rest.len() >= least
            && rest.contains(['a', 'e', 'i', 'o', 'u', 'y'])
            && (suffix != "ion" || rest.ends_with(['s', 't']))
        {
            rest.clone_into(&mut base);
            undouble(&mut base);
            break;
        }
    }
    if base.len() > 3 && base.ends_with('e') {
        base.pop();
    }
    base
}

fn singular(word: &str) -> String {
    if let Some(rest) = word.strip_suffix("ies")
        && rest.len() > 2
    {
        return format!("{rest}y");
    }
    match word.strip_suffix('s') {
        Some(rest) if !rest.ends_with(['s', 'u', 'i']) => rest.to_owned(),
        _ => word.to_owned(),
    }
}

/// `dubbing` without its ending is `dubb`.
fn undouble(word: &mut String) {
    let mut ends = word.chars().rev();
    if let (Some(last), Some(before)) = (ends.next(), ends.next())
        && last == before
        && "bdgmnprt".contains(last)
    {
        word.pop();
    }
}

#[cfg(test)]
mod tests {
    use super::stem;

    #[test]
    fn the_forms_of_a_word_share_a_stem() {
        for forms in [
            &["upscale", "upscaler", "upscaling", "upscaled", "upscales"][..],
            &["remove", "remover", "removal", "removing", "removes"],
            &["generate", "generation", "generator", "generating", "generative"],
            &["inpaint", "inpainting"],
            &["restore", "restoration", "restored"],
            &["train", "trainer", "training"],
            &["dub", "dubbing", "dubbed"],
            &["enhance", "enhancement", "enhancer", "enhancing"],
            &["colorize", "colorization", "colorizer"],
            &["image", "images"],
        ] {
            let first = stem(forms[0]);
            for form in forms {
                assert_eq!(stem(form), first, "{form}");
            }
        }
    }

    #[test]
    fn words_that_only_look_alike_stay_apart() {
        for (one, other) in [("anime", "animate"), ("poster", "post"), ("color", "cola")] {
            assert_ne!(stem(one), stem(other));
        }
        assert_eq!(stem("3d"), "3d");
        assert_eq!(stem("veo"), "veo");
    }
}
