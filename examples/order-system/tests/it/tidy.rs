//! Rules about the source itself.

use std::{
    collections::BTreeSet,
    fs,
    path::{Path, PathBuf},
};

fn here(file: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(file)
}

/// Those of our own crates that a crate needs in every build, whatever its features.
fn ours(manifest: &str) -> BTreeSet<String> {
    let manifest: toml::Table = fs::read_to_string(here(manifest)).unwrap().parse().unwrap();
    let needed = manifest["dependencies"].as_table().unwrap().iter();
    let needed = needed.filter(|(name, how)| {
        name.starts_with("trade-")
            && how
                .get("optional")
                .is_none_or(|optional| !optional.as_bool().unwrap())
    });
    needed.map(|(name, _)| name.clone()).collect()
}

/// The order system knows the trade server by its routes and messages alone.
#[test]
fn the_library_shares_types_and_nothing_else_with_the_trade_server() {
    let set = |names: &[&str]| {
        names
            .iter()
            .map(|name| (*name).to_owned())
            .collect::<BTreeSet<_>>()
    };
    assert_eq!(ours("Cargo.toml"), set(&["trade-core", "trade-mq"]));
    assert_eq!(ours("../../crates/trade-mq/Cargo.toml"), set(&["trade-core"]));
    assert_eq!(ours("../../crates/trade-core/Cargo.toml"), set(&[]));
}

/// Transactions begin in the store alone, and the store asks no other service: so no remote call can happen
/// inside one.
#[test]
fn what_writes_asks_nobody() {
    let files = fs::read_dir(here("src/store"))
        .unwrap()
        .map(|entry| entry.unwrap().path());
    let mut seen = 0;
    for path in files.filter(|path| path.is_file()).chain([here("src/store.rs")]) {
        seen += 1;
        let text = fs::read_to_string(&path).unwrap();
        for asks in [
            "reqwest",
            "crate::trade",
            "crate::remote",
            "crate::service",
            "lapin",
            "redis::",
        ] {
            assert!(!text.contains(asks), "{} has {asks}", path.display());
        }
    }
    assert!(seen > 8, "the files were found: {seen}");
    let begin = fs::read_to_string(here("src/store.rs")).unwrap();
    assert!(
        begin.contains("    async fn begin(&self)"),
        "nobody outside the store begins a transaction"
    );
}

/// Only the starter of everything, which is no part of the library, names the trade server's crate.
#[test]
fn only_the_starter_names_the_trade_server() {
    let mut folders = vec![here("src")];
    let mut seen = 0;
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
                continue;
            }
            seen += 1;
            let text = fs::read_to_string(&path).unwrap();
            let names_it = text.contains("trade_server") || text.contains("trade_sandbox");
            assert_eq!(names_it, path.ends_with("src/all.rs"), "{}", path.display());
        }
    }
    assert!(seen > 30, "the files were found: {seen}");
}
