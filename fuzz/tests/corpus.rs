//! What fuzzing has found out before still holds.

use std::path::Path;

use fuzz::TARGETS;

#[test]
fn every_target_takes_its_corpus_whole_and_cut_anywhere() {
    for (name, target) in TARGETS {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("corpus").join(name);
        let mut tried = 0;
        for file in std::fs::read_dir(folder).unwrap() {
            let bytes = std::fs::read(file.unwrap().path()).unwrap();
            target(&bytes);
            for cut in (0..bytes.len()).step_by(bytes.len().div_ceil(100).max(1)) {
                target(&bytes[..cut]);
            }
            tried += 1;
        }
        assert!(tried >= 5, "{name} has a corpus");
    }
}
