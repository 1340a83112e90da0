use aws_lc_rs::{
    encoding::{AsDer, Pkcs8V1Der, PublicKeyX509Der},
    error::Unspecified,
    rsa::{KeyPair as RsaKeyPair, KeySize},
    signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, Ed25519KeyPair, KeyPair},
};
use base64::{
    Engine,
    engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD},
};
use clap::ValueEnum;
use zeroize::Zeroizing;

use crate::error::{Error, ErrorKind};

/// What a key is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(super) enum Algorithm {
    #[value(name = "HS256")]
    Hs256,
    #[value(name = "HS384")]
    Hs384,
    #[value(name = "HS512")]
    Hs512,
    #[value(name = "RS256")]
    Rs256,
    #[value(name = "ES256")]
    Es256,
    #[value(name = "EdDSA")]
    EdDsa,
}

pub(super) enum Made {
    /// base64url, to be used as it stands: as text it is what every other program takes too.
    Secret(Zeroizing<String>),
    /// PKCS#8 and SubjectPublicKeyInfo, in PEM.
    Pair { private: Zeroizing<String>, public: String },
}

impl Algorithm {
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Hs256 => "HS256",
            Self::Hs384 => "HS384",
            Self::Hs512 => "HS512",
            Self::Rs256 => "RS256",
            Self::Es256 => "ES256",
            Self::EdDsa => "EdDSA",
        }
    }

    pub(super) fn make(self) -> Result<Made, Error> {
        match self {
            // As long as the hash, RFC 7518 section 3.2.
            Self::Hs256 => secret(32),
            Self::Hs384 => secret(48),
            Self::Hs512 => secret(64),
            Self::Rs256 => rsa().map_err(failed),
            Self::Es256 => ec().map_err(failed),
            Self::EdDsa => ed().map_err(failed),
        }
    }
}

fn secret(bytes: usize) -> Result<Made, Error> {
    let mut secret = Zeroizing::new(vec![0; bytes]);
    getrandom::fill(&mut secret)
        .map_err(|error| Error::new(ErrorKind::Storage, "the system has no randomness for a key").with_source(error))?;
    Ok(Made::Secret(Zeroizing::new(URL_SAFE_NO_PAD.encode(&*secret))))
}

/// 3072 bits, as NIST SP 800-57 asks for what is to last beyond 2030.
fn rsa() -> Result<Made, Unspecified> {
    let pair = RsaKeyPair::generate(KeySize::Rsa3072)?;
    let private: Pkcs8V1Der<'_> = pair.as_der()?;
    let public: PublicKeyX509Der<'_> = pair.public_key().as_der()?;
    Ok(pair_of(private.as_ref(), public.as_ref()))
}

fn ec() -> Result<Made, Unspecified> {
    let pair = EcdsaKeyPair::generate(&ECDSA_P256_SHA256_FIXED_SIGNING)?;
    let public: PublicKeyX509Der<'_> = pair.public_key().as_der()?;
    Ok(pair_of(pair.to_pkcs8v1()?.as_ref(), public.as_ref()))
}

fn ed() -> Result<Made, Unspecified> {
    let pair = Ed25519KeyPair::generate()?;
    let public: PublicKeyX509Der<'_> = pair.public_key().as_der()?;
    Ok(pair_of(pair.to_pkcs8v1()?.as_ref(), public.as_ref()))
}

fn pair_of(private: &[u8], public: &[u8]) -> Made {
    Made::Pair { private: Zeroizing::new(pem("PRIVATE KEY", private)), public: pem("PUBLIC KEY", public) }
}

/// RFC 7468.
fn pem(label: &str, der: &[u8]) -> String {
    let text = Zeroizing::new(STANDARD.encode(der));
    let mut pem = format!("-----BEGIN {label}-----\n");
    for (at, letter) in text.chars().enumerate() {
        if at > 0 && at % 64 == 0 {
            pem.push('\n');
        }
        pem.push(letter);
    }
    pem.push_str(&format!("\n-----END {label}-----\n"));
    pem
}

fn failed(_: Unspecified) -> Error {
    Error::new(ErrorKind::Storage, "the key could not be made")
}
