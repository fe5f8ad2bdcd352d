//! Rules about the source itself.

use std::{
    fs,
    path::{Path, PathBuf},
    process::Command,
};

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("../..")
        .canonicalize()
        .unwrap()
}

fn rust_files(folder: &Path, found: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            rust_files(&path, found);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            found.push(path);
        }
    }
}

#[test]
fn no_file_is_longer_than_five_hundred_lines() {
    let mut files = Vec::new();
    rust_files(&root().join("crates"), &mut files);
    rust_files(&root().join("examples"), &mut files);
    assert!(files.len() > 100, "the files were found: {}", files.len());
    for file in files {
        let lines = fs::read_to_string(&file).unwrap().lines().count();
        assert!(lines <= 500, "{} has {lines} lines", file.display());
    }
}

#[test]
fn http_never_imports_infra() {
    let mut files = Vec::new();
    rust_files(&root().join("crates/trade-server/src/http"), &mut files);
    files.push(root().join("crates/trade-server/src/http.rs"));
    for file in files {
        assert!(
            !fs::read_to_string(&file).unwrap().contains("infra"),
            "{}",
            file.display()
        );
    }
}

#[test]
fn the_sandbox_shares_no_code_with_what_it_judges() {
    let output = Command::new(env!("CARGO"))
        .args([
            "tree",
            "--offline",
            "-p",
            "trade-sandbox",
            "-e",
            "normal",
            "--prefix",
            "none",
            "--format",
            "{p}",
        ])
        .current_dir(root())
        .output()
        .unwrap();
    assert!(
        output.status.success(),
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
    let tree = String::from_utf8(output.stdout).unwrap();
    assert!(tree.contains("rsa v"), "the tree was read: {tree}");
    for ours in [
        "trade-core",
        "trade-crypto",
        "trade-wechat",
        "trade-alipay",
        "trade-store",
        "trade-server",
    ] {
        assert!(
            !tree.contains(&format!("{ours} v")),
            "trade-sandbox depends on {ours}"
        );
    }
}

#[test]
fn the_tree_of_the_server_stays_lean() {
    let output = Command::new(env!("CARGO"))
        .args([
            "tree",
            "--offline",
            "-p",
            "trade-server",
            "-e",
            "normal,build",
            "--prefix",
            "none",
            "--format",
            "{p}",
        ])
        .current_dir(root())
        .output()
        .unwrap();
    let tree = String::from_utf8(output.stdout).unwrap();
    let crates: std::collections::BTreeSet<_> =
        tree.lines().map(|line| line.trim_end_matches(" (*)")).collect();
    assert!(
        crates.len() > 100 && crates.len() <= 375,
        "{} crates",
        crates.len()
    );
}
