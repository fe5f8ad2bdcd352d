//! The core stays free of I/O frameworks, whoever adds a dependency.

use std::process::Command;

const FORBIDDEN: [&str; 12] = [
    "tokio",
    "reqwest",
    "axum",
    "hyper",
    "sea-orm",
    "sqlx",
    "redis",
    "lapin",
    "rsa",
    "ring",
    "aws-lc-rs",
    "openssl",
];

#[test]
fn no_framework_in_the_tree() {
    let output = Command::new(env!("CARGO"))
        .args([
            "tree",
            "--offline",
            "-p",
            "trade-core",
            "-e",
            "normal",
            "--prefix",
            "none",
            "--format",
            "{p}",
        ])
        .current_dir(env!("CARGO_MANIFEST_DIR"))
        .output()
        .unwrap();
    assert!(
        output.status.success(),
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
    let tree = String::from_utf8(output.stdout).unwrap();
    let names: Vec<_> = tree.lines().filter_map(|line| line.split(' ').next()).collect();
    assert!(names.contains(&"serde_json"), "the tree was read: {tree}");
    for forbidden in FORBIDDEN {
        assert!(!names.contains(&forbidden), "trade-core depends on {forbidden}");
    }
}
