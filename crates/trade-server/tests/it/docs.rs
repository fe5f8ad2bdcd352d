//! The pages about what happens if something goes wrong name tests that there are, in both languages the same.

use std::{fs, path::Path};

/// The proofs of a page: the name of a test, and the file it is in.
fn proofs(page: &str) -> Vec<(String, String)> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs");
    let text = fs::read_to_string(folder.join(page)).unwrap();
    let mut proofs = Vec::new();
    for link in text.split('[').skip(1) {
        let Some((name, rest)) = link.split_once("](") else {
            continue;
        };
        let (target, _) = rest.split_once(')').unwrap();
        if target.ends_with(".rs") && !name.contains(".") {
            let code = fs::read_to_string(folder.join(target));
            let code = code.unwrap_or_else(|error| panic!("{page}: {target}: {error}"));
            assert!(
                code.contains(&format!("fn {name}(")),
                "{page}: there is no {name} in {target}"
            );
            proofs.push((name.to_owned(), target.to_owned()));
        }
    }
    proofs
}

#[test]
fn every_proof_is_a_test_and_both_languages_name_the_same() {
    let english = proofs("what-happens-if.md");
    assert!(english.len() > 60, "{}", english.len());
    assert_eq!(english, proofs("what-happens-if.zh-CN.md"));
    let rows = |page: &str| {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs");
        let text = fs::read_to_string(folder.join(page)).unwrap();
        let rows: Vec<_> = text
            .lines()
            .filter(|line| line.starts_with('|'))
            .map(ToOwned::to_owned)
            .collect();
        rows
    };
    let (english, chinese) = (rows("what-happens-if.md"), rows("what-happens-if.zh-CN.md"));
    assert_eq!(english.len(), chinese.len());
    for row in &english {
        let proof = row.rsplit('|').nth(1).unwrap().trim();
        assert!(!proof.is_empty(), "nothing proves {row}");
    }
}
