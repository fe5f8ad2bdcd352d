//! Rules about the source itself.

use std::{fs, path::Path, process::Command};

/// The order system knows the trade server by its routes and messages alone.
#[test]
fn the_library_shares_types_and_nothing_else_with_the_trade_server() {
    let output = Command::new(env!("CARGO"))
        .args([
            "tree",
            "--offline",
            "-p",
            "order-system",
            "-e",
            "normal",
            "--no-default-features",
        ])
        .args(["--prefix", "none", "--format", "{p}"])
        .current_dir(Path::new(env!("CARGO_MANIFEST_DIR")))
        .output()
        .unwrap();
    assert!(
        output.status.success(),
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
    let tree = String::from_utf8(output.stdout).unwrap();
    for shared in ["trade-core", "trade-mq"] {
        assert!(tree.contains(&format!("{shared} v")), "the tree was read: {tree}");
    }
    for ours in [
        "trade-server",
        "trade-store",
        "trade-wechat",
        "trade-alipay",
        "trade-crypto",
        "trade-sandbox",
    ] {
        assert!(
            !tree.contains(&format!("{ours} v")),
            "the library depends on {ours}"
        );
    }
}

/// Transactions begin in the store alone, and the store asks no other service: so no remote call can happen
/// inside one.
#[test]
fn what_writes_asks_nobody() {
    let store = Path::new(env!("CARGO_MANIFEST_DIR")).join("src/store");
    let files =
        ["src/store.rs", "src/store/orders.rs"].map(|file| Path::new(env!("CARGO_MANIFEST_DIR")).join(file));
    let others = fs::read_dir(store).unwrap().map(|entry| entry.unwrap().path());
    let mut seen = 0;
    for path in files.into_iter().chain(others.filter(|path| path.is_file())) {
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
    let begin = fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("src/store.rs")).unwrap();
    assert!(
        begin.contains("    async fn begin(&self)"),
        "nobody outside the store begins a transaction"
    );
}

/// Only the starter of everything, which is no part of the library, names the trade server's crate.
#[test]
fn only_the_starter_names_the_trade_server() {
    let mut folders = vec![Path::new(env!("CARGO_MANIFEST_DIR")).join("src")];
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
