//! Keys, certificates and random texts: fixed stand-ins, since nothing here may depend on chance.

use super::super::limits::{Meter, Res};
use super::super::value::Val;
use super::{ANY, Row, arg, count, int, text};

pub(super) const TABLE: &[Row] = &[
    ("randAlphaNum", 1, 1, |meter, args| {
        filled(meter, args, "a1")
    }),
    ("randAlpha", 1, 1, |meter, args| filled(meter, args, "a")),
    ("randAscii", 1, 1, |meter, args| filled(meter, args, "a")),
    ("randNumeric", 1, 1, |meter, args| filled(meter, args, "1")),
    ("randBytes", 1, 1, |meter, args| filled(meter, args, "a")),
    ("uuidv4", 0, 0, |_, _| {
        Ok(Val::text("00000000-0000-4000-8000-000000000000"))
    }),
    ("shuffle", 1, 1, |_, args| Ok(arg(args, 0).clone())),
    ("htpasswd", 2, 2, |_, args| {
        Ok(Val::text(format!("{}:{HASH}", text(args, 0)?)))
    }),
    ("bcrypt", 1, 1, |_, _| Ok(Val::text(HASH))),
    ("derivePassword", 5, 5, |_, _| Ok(Val::text("password"))),
    ("encryptAES", 2, 2, |_, _| Ok(Val::text("cipher"))),
    ("decryptAES", 2, 2, |_, _| Ok(Val::text("plain"))),
    ("genPrivateKey", 1, 1, |_, _| Ok(Val::text(KEY))),
    ("genCA", 2, 2, certificate),
    ("genCAWithKey", 3, 3, certificate),
    ("genSelfSignedCert", 4, 4, certificate),
    ("genSelfSignedCertWithKey", 5, 5, certificate),
    ("genSignedCert", 5, 5, certificate),
    ("genSignedCertWithKey", 6, 6, certificate),
    ("buildCustomCert", 2, ANY, certificate),
];

const HASH: &str = "$2a$10$0000000000000000000000000000000000000000000000000000";
const CERT: &str = "-----BEGIN CERTIFICATE-----\nAA==\n-----END CERTIFICATE-----\n";
const KEY: &str = "-----BEGIN RSA PRIVATE KEY-----\nAA==\n-----END RSA PRIVATE KEY-----\n";

fn filled(meter: &Meter, args: &[Val], unit: &str) -> Res<Val> {
    let count = count(meter, int(args, 0)?)?;
    Ok(Val::text(
        unit.chars().cycle().take(count).collect::<String>(),
    ))
}

fn certificate(_: &Meter, _: &[Val]) -> Res<Val> {
    let fields = vec![("Cert", Val::text(CERT)), ("Key", Val::text(KEY))];
    Ok(Val::structure("sprig.certificate", None, fields))
}
