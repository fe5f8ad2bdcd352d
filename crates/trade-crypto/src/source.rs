//! A setting that is either the text of a key or the name of a file that holds it.

use std::{
    fs::File,
    io::{self, Read},
    path::Path,
};

use zeroize::Zeroizing;

use crate::{error::KeyError, found::Wanted};

/// No key file is near this size; a wrong file name must not fill the memory.
const FILE_BYTES_MAX: u64 = 1 << 20;

/// Longer texts are keys. Shorter ones may be file names, and may be shown.
const PATH_CHARS_MAX: usize = 256;

const EXTENSIONS: &[&str] = &[
    "pem", "key", "crt", "cer", "cert", "der", "p12", "pfx", "txt", "csr", "pub",
];

/// Reads the file that `text_or_path` names, or gives the text itself back.
///
/// # Errors
///
/// [`KeyError::File`] when there is such a file, or one is meant by `file:`, and it cannot be read.
pub(crate) fn read(text_or_path: &str, wanted: Wanted) -> Result<Zeroizing<Vec<u8>>, KeyError> {
    let text = text_or_path.trim();
    if let Some(named) = text.strip_prefix("file:") {
        let path = named.strip_prefix("//").unwrap_or(named).trim();
        return read_file(path, wanted);
    }
    if may_be_path(text) && Path::new(text).exists() {
        return read_file(text, wanted);
    }
    Ok(Zeroizing::new(text_or_path.as_bytes().to_vec()))
}

/// Replaces the error about an unreadable text where the text is more likely the name of a missing file.
pub(crate) fn explain(error: KeyError, text_or_path: &str) -> KeyError {
    let text = text_or_path.trim();
    match error {
        KeyError::NotKeyText { wanted, .. } | KeyError::Damaged { wanted, .. } if looks_like_path(text) => {
            KeyError::NoSuchFile {
                wanted,
                path: shown(text),
            }
        }
        other => other,
    }
}

fn read_file(path: &str, wanted: Wanted) -> Result<Zeroizing<Vec<u8>>, KeyError> {
    read_bytes(path).map_err(|source| KeyError::File {
        wanted,
        path: shown(path),
        source,
    })
}

fn read_bytes(path: &str) -> io::Result<Zeroizing<Vec<u8>>> {
    let file = File::open(path)?;
    let about = file.metadata()?;
    if about.is_dir() {
        return Err(io::Error::new(io::ErrorKind::IsADirectory, "it is a directory"));
    }
    // The whole size at once: a vector that grows leaves copies of the key behind.
    let expected = usize::try_from(about.len().min(FILE_BYTES_MAX)).unwrap_or(0);
    let mut bytes = Zeroizing::new(Vec::with_capacity(expected + 1));
    file.take(FILE_BYTES_MAX + 1).read_to_end(&mut bytes)?;
    if u64::try_from(bytes.len()).unwrap_or(u64::MAX) > FILE_BYTES_MAX {
        return Err(io::Error::new(
            io::ErrorKind::FileTooLarge,
            "it is larger than 1 MiB, no key is",
        ));
    }
    Ok(bytes)
}

fn may_be_path(text: &str) -> bool {
    !text.is_empty() && text.chars().count() <= PATH_CHARS_MAX && !text.contains(['\n', '\r', '\0'])
}

fn looks_like_path(text: &str) -> bool {
    let is_rooted = ["/", "./", "../", "~", ".\\", "..\\"]
        .iter()
        .any(|start| text.starts_with(start));
    let has_drive = matches!(text.as_bytes(), [drive, b':', ..] if drive.is_ascii_alphabetic());
    let has_extension = Path::new(text)
        .extension()
        .and_then(|extension| extension.to_str())
        .is_some_and(|extension| EXTENSIONS.contains(&extension.to_ascii_lowercase().as_str()));
    may_be_path(text) && (is_rooted || has_drive || has_extension)
}

/// A path as it may appear in an error: not when it could be a key put behind `file:` by mistake.
fn shown(path: &str) -> String {
    if may_be_path(path) && !path.starts_with("MII") && !path.contains("BEGIN") {
        format!("`{path}`")
    } else {
        format!("(a name of {} characters, not shown)", path.chars().count())
    }
}
