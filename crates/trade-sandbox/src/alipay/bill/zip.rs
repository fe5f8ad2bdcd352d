//! A ZIP archive as Alipay's bill center writes it: names in GBK and no flag that would say otherwise. Zip
//! libraries refuse to write such names.

use std::{collections::BTreeMap, io::Write};

use encoding_rs::GBK;
use flate2::{Compression, Crc, write::DeflateEncoder};

const LOCAL_HEADER: u32 = 0x0403_4B50;
const CENTRAL_HEADER: u32 = 0x0201_4B50;
const END: u32 = 0x0605_4B50;
const VERSION: u16 = 20;
const DEFLATED: u16 = 8;
/// 1980-01-01, the first day there is.
const DATE: u16 = 0x0021;

/// Packs texts by file name, both encoded as GBK.
pub(super) fn gbk_archive(files: &BTreeMap<String, String>) -> Vec<u8> {
    let mut archive = Vec::new();
    let mut directory = Vec::new();
    for (name, text) in files {
        let name = GBK.encode(name).0;
        let content = GBK.encode(text).0;
        let offset = archive.len();
        let packed = deflated(&content);
        let common = common_header(&name, &content, &packed);
        put32(&mut archive, LOCAL_HEADER);
        archive.extend_from_slice(&common);
        archive.extend_from_slice(&name);
        archive.extend_from_slice(&packed);
        put32(&mut directory, CENTRAL_HEADER);
        put16(&mut directory, VERSION);
        directory.extend_from_slice(&common);
        // No comment, first disk, no attributes.
        directory.extend_from_slice(&[0; 10]);
        put32(&mut directory, size(offset));
        directory.extend_from_slice(&name);
    }
    let directory_offset = archive.len();
    archive.extend_from_slice(&directory);
    put32(&mut archive, END);
    archive.extend_from_slice(&[0; 4]);
    let count = u16::try_from(files.len()).unwrap_or(u16::MAX);
    put16(&mut archive, count);
    put16(&mut archive, count);
    put32(&mut archive, size(directory.len()));
    put32(&mut archive, size(directory_offset));
    put16(&mut archive, 0);
    archive
}

/// What the local header and the directory have in common.
fn common_header(name: &[u8], content: &[u8], packed: &[u8]) -> Vec<u8> {
    let mut crc = Crc::new();
    crc.update(content);
    let mut header = Vec::new();
    put16(&mut header, VERSION);
    // No flags: in particular not the one that says the name is UTF-8.
    put16(&mut header, 0);
    put16(&mut header, DEFLATED);
    put16(&mut header, 0);
    put16(&mut header, DATE);
    put32(&mut header, crc.sum());
    put32(&mut header, size(packed.len()));
    put32(&mut header, size(content.len()));
    put16(&mut header, u16::try_from(name.len()).unwrap_or(u16::MAX));
    put16(&mut header, 0);
    header
}

fn deflated(content: &[u8]) -> Vec<u8> {
    let mut encoder = DeflateEncoder::new(Vec::new(), Compression::default());
    // Writing to memory does not fail.
    let written = encoder.write_all(content).and_then(|()| encoder.finish());
    written.unwrap_or_default()
}

/// A bill of the sandbox stays far below 4 GiB.
fn size(length: usize) -> u32 {
    u32::try_from(length).unwrap_or(u32::MAX)
}

fn put16(out: &mut Vec<u8>, number: u16) {
    out.extend_from_slice(&number.to_le_bytes());
}

fn put32(out: &mut Vec<u8>, number: u32) {
    out.extend_from_slice(&number.to_le_bytes());
}
