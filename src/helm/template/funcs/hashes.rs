//! Encodings and check sums.

// The letters are those of the standard.
#![allow(clippy::many_single_char_names)]

use super::super::limits::{Meter, Res};
use super::super::print;
use super::super::value::{Object, Val};
use super::{Row, arg, text};

pub(super) const TABLE: &[Row] = &[
    ("b64enc", 1, 1, |meter, args| {
        let input = match arg(args, 0) {
            Val::Object(Object::Bytes(text)) => text.clone(),
            _ => text(args, 0)?,
        };
        meter.bytes(input.len())?;
        Ok(Val::text(base64(input.as_bytes())))
    }),
    ("b64dec", 1, 1, |_, args| {
        Ok(Val::text(match from_base64(&text(args, 0)?) {
            Some(bytes) => String::from_utf8_lossy(&bytes).into_owned(),
            None => "illegal base64 data at input byte 0".to_owned(),
        }))
    }),
    ("sha256sum", 1, 1, |meter, args| {
        hashed(meter, args, |bytes| print::hex('x', &sha256(bytes)))
    }),
    ("sha1sum", 1, 1, |meter, args| {
        hashed(meter, args, |bytes| print::hex('x', &sha1(bytes)))
    }),
    ("adler32sum", 1, 1, |meter, args| {
        hashed(meter, args, |bytes| adler32(bytes).to_string())
    }),
];

fn hashed(meter: &Meter, args: &[Val], hash: fn(&[u8]) -> String) -> Res<Val> {
    let input = text(args, 0)?;
    meter.bytes(input.len())?;
    Ok(Val::text(hash(input.as_bytes())))
}

const ALPHABET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

/// Standard base64, padded.
pub(crate) fn base64(bytes: &[u8]) -> String {
    let mut out = String::with_capacity(bytes.len().div_ceil(3) * 4);
    for chunk in bytes.chunks(3) {
        let group = chunk
            .iter()
            .chain([0, 0].iter())
            .take(3)
            .fold(0usize, |group, &byte| group << 8 | usize::from(byte));
        for at in 0..4 {
            let digit = ALPHABET
                .get(group >> (18 - 6 * at) & 63)
                .copied()
                .unwrap_or(b'=');
            out.push(if at > chunk.len() {
                '='
            } else {
                char::from(digit)
            });
        }
    }
    out
}

pub(crate) fn from_base64(text: &str) -> Option<Vec<u8>> {
    let digits: Vec<u8> = text
        .bytes()
        .filter(|byte| !matches!(byte, b'\r' | b'\n'))
        .collect();
    if !digits.len().is_multiple_of(4) {
        return None;
    }
    let mut out = Vec::with_capacity(digits.len() / 4 * 3);
    for chunk in digits.chunks(4) {
        let kept = chunk.iter().take_while(|&&byte| byte != b'=').count();
        let mut group = 0u32;
        for byte in chunk {
            let value = match byte {
                b'=' => 0,
                _ => ALPHABET.iter().position(|other| other == byte)?,
            };
            group = group << 6 | u32::try_from(value).ok()?;
        }
        out.extend(
            group
                .to_be_bytes()
                .iter()
                .skip(1)
                .take(kept.saturating_sub(1)),
        );
    }
    Some(out)
}

fn adler32(bytes: &[u8]) -> u32 {
    let (low, high) = bytes.iter().fold((1u32, 0u32), |(low, high), &byte| {
        let low = (low + u32::from(byte)) % 65521;
        (low, (high + low) % 65521)
    });
    high << 16 | low
}

/// A message padded to whole blocks of 64 bytes, its length in bits at the end.
fn padded(bytes: &[u8]) -> Vec<u8> {
    let mut message = bytes.to_vec();
    message.push(0x80);
    while message.len() % 64 != 56 {
        message.push(0);
    }
    message.extend((bytes.len() as u64).wrapping_mul(8).to_be_bytes());
    message
}

/// The first sixteen words of a block; the others follow from them.
fn words(block: &[u8]) -> Vec<u32> {
    block
        .chunks(4)
        .map(|word| {
            word.iter()
                .fold(0u32, |word, &byte| word << 8 | u32::from(byte))
        })
        .collect()
}

fn word(words: &[u32], at: usize, back: usize) -> u32 {
    at.checked_sub(back)
        .and_then(|at| words.get(at))
        .copied()
        .unwrap_or(0)
}

fn sha1(bytes: &[u8]) -> Vec<u8> {
    let mut state = [
        0x6745_2301u32,
        0xefcd_ab89,
        0x98ba_dcfe,
        0x1032_5476,
        0xc3d2_e1f0,
    ];
    for block in padded(bytes).chunks(64) {
        let mut words = words(block);
        for at in 16..80 {
            let mixed = word(&words, at, 3)
                ^ word(&words, at, 8)
                ^ word(&words, at, 14)
                ^ word(&words, at, 16);
            words.push(mixed.rotate_left(1));
        }
        let [mut a, mut b, mut c, mut d, mut e] = state;
        for (at, word) in words.iter().enumerate() {
            let (f, k) = match at {
                0..20 => (b & c | !b & d, 0x5a82_7999),
                20..40 => (b ^ c ^ d, 0x6ed9_eba1),
                40..60 => (b & c | b & d | c & d, 0x8f1b_bcdc),
                _ => (b ^ c ^ d, 0xca62_c1d6u32),
            };
            let next = a
                .rotate_left(5)
                .wrapping_add(f)
                .wrapping_add(e)
                .wrapping_add(k)
                .wrapping_add(*word);
            (a, b, c, d, e) = (next, a, b.rotate_left(30), c, d);
        }
        for (slot, value) in state.iter_mut().zip([a, b, c, d, e]) {
            *slot = slot.wrapping_add(value);
        }
    }
    state.into_iter().flat_map(u32::to_be_bytes).collect()
}

const ROUNDS: [u32; 64] = [
    0x428a_2f98,
    0x7137_4491,
    0xb5c0_fbcf,
    0xe9b5_dba5,
    0x3956_c25b,
    0x59f1_11f1,
    0x923f_82a4,
    0xab1c_5ed5,
    0xd807_aa98,
    0x1283_5b01,
    0x2431_85be,
    0x550c_7dc3,
    0x72be_5d74,
    0x80de_b1fe,
    0x9bdc_06a7,
    0xc19b_f174,
    0xe49b_69c1,
    0xefbe_4786,
    0x0fc1_9dc6,
    0x240c_a1cc,
    0x2de9_2c6f,
    0x4a74_84aa,
    0x5cb0_a9dc,
    0x76f9_88da,
    0x983e_5152,
    0xa831_c66d,
    0xb003_27c8,
    0xbf59_7fc7,
    0xc6e0_0bf3,
    0xd5a7_9147,
    0x06ca_6351,
    0x1429_2967,
    0x27b7_0a85,
    0x2e1b_2138,
    0x4d2c_6dfc,
    0x5338_0d13,
    0x650a_7354,
    0x766a_0abb,
    0x81c2_c92e,
    0x9272_2c85,
    0xa2bf_e8a1,
    0xa81a_664b,
    0xc24b_8b70,
    0xc76c_51a3,
    0xd192_e819,
    0xd699_0624,
    0xf40e_3585,
    0x106a_a070,
    0x19a4_c116,
    0x1e37_6c08,
    0x2748_774c,
    0x34b0_bcb5,
    0x391c_0cb3,
    0x4ed8_aa4a,
    0x5b9c_ca4f,
    0x682e_6ff3,
    0x748f_82ee,
    0x78a5_636f,
    0x84c8_7814,
    0x8cc7_0208,
    0x90be_fffa,
    0xa450_6ceb,
    0xbef9_a3f7,
    0xc671_78f2,
];

fn sha256(bytes: &[u8]) -> Vec<u8> {
    let mut state = [
        0x6a09_e667u32,
        0xbb67_ae85,
        0x3c6e_f372,
        0xa54f_f53a,
        0x510e_527f,
        0x9b05_688c,
        0x1f83_d9ab,
        0x5be0_cd19,
    ];
    for block in padded(bytes).chunks(64) {
        let mut words = words(block);
        for at in 16..64 {
            let (a, b) = (word(&words, at, 15), word(&words, at, 2));
            let small = a.rotate_right(7) ^ a.rotate_right(18) ^ (a >> 3);
            let large = b.rotate_right(17) ^ b.rotate_right(19) ^ (b >> 10);
            let sum = word(&words, at, 16)
                .wrapping_add(small)
                .wrapping_add(word(&words, at, 7));
            words.push(sum.wrapping_add(large));
        }
        let [mut a, mut b, mut c, mut d, mut e, mut f, mut g, mut h] = state;
        for (word, round) in words.iter().zip(ROUNDS) {
            let large = e.rotate_right(6) ^ e.rotate_right(11) ^ e.rotate_right(25);
            let choice = e & f ^ !e & g;
            let first = h
                .wrapping_add(large)
                .wrapping_add(choice)
                .wrapping_add(round)
                .wrapping_add(*word);
            let small = a.rotate_right(2) ^ a.rotate_right(13) ^ a.rotate_right(22);
            let second = small.wrapping_add(a & b ^ a & c ^ b & c);
            (h, g, f, e, d, c, b, a) = (
                g,
                f,
                e,
                d.wrapping_add(first),
                c,
                b,
                a,
                first.wrapping_add(second),
            );
        }
        for (slot, value) in state.iter_mut().zip([a, b, c, d, e, f, g, h]) {
            *slot = slot.wrapping_add(value);
        }
    }
    state.into_iter().flat_map(u32::to_be_bytes).collect()
}
