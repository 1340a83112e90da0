use std::{
    fmt,
    sync::{Mutex, PoisonError},
};

use argon2::{
    Algorithm, Argon2, Block, Params, Version,
    password_hash::{PasswordHasher, phc},
};
use subtle::ConstantTimeEq;
use zeroize::Zeroizing;

use crate::error::{Error, ErrorKind};

/// A password as somebody typed it: not trimmed, not normalised (ASVS 6.2.8), wiped from memory when dropped.
pub(crate) struct Password(Zeroizing<String>);

/// In bytes. Far beyond what anybody types, and short enough to hash nothing for nothing.
pub(crate) const MAX_PASSWORD: usize = 1024;

/// In characters, of new ones (ASVS 5, 6.2.1; fifteen are better). Nothing else is asked of them.
pub(crate) const MIN_PASSWORD: usize = 8;

impl Password {
    /// A new one; or what is wrong with it.
    pub(crate) fn chosen(text: String) -> Result<Self, String> {
        let text = Zeroizing::new(text);
        match () {
            () if text.chars().count() < MIN_PASSWORD => {
                Err(format!("the password is too short: it needs at least {MIN_PASSWORD} characters, and 15 are better"))
            }
            () if text.len() > MAX_PASSWORD => Err(format!("the password is too long: it may have {MAX_PASSWORD} bytes")),
            () => Ok(Self(text)),
        }
    }

    /// `None` if it is longer than [`MAX_PASSWORD`].
    pub(crate) fn new(text: String) -> Option<Self> {
        let text = Zeroizing::new(text);
        (text.len() <= MAX_PASSWORD).then_some(Self(text))
    }
}

impl fmt::Debug for Password {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Password(..)")
    }
}

/// What is kept of a password: argon2id as a PHC string, `$argon2id$v=19$m=19456,t=2,p=1$salt$hash`.
#[derive(Clone, PartialEq, Eq)]
pub(crate) struct PasswordHash(String);

impl PasswordHash {
    /// A hash made elsewhere. Refused if it is no argon2id, weaker than ASVS 5 appendix C allows, or so strong that
    /// signing in would be a way to exhaust the machine. The message does not contain it.
    pub(crate) fn parse(text: &str) -> Result<Self, Error> {
        parameters(text).map(|_| Self(text.to_owned()))
    }

    /// One that was checked when it was stored; [`Passwords::verify`] checks again.
    pub(crate) fn stored(text: String) -> Self {
        Self(text)
    }

    pub(crate) fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for PasswordHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("PasswordHash(..)")
    }
}

/// What a password proved.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Verdict {
    /// It is another one, or there is no such user, or no hash that may be used.
    Wrong,
    Right,
    /// And its hash is weaker than those made today: to be hashed anew while it is at hand.
    RightRehash,
}

/// Hashes and verifies, each 19 MiB and some 20 ms: to be called within a [`HashBudget`](super::hash_budget::HashBudget).
pub(crate) struct Passwords {
    /// Stands in for the hash of a user that does not exist, so that the answer takes as long.
    nobody: PasswordHash,
    /// What hashes have worked in, for the next ones. Allocators keep such pieces by thread when they are given back, so that a flood of
    /// sign-ins over many threads would leave all of them behind.
    memory: Mutex<Vec<Vec<Block>>>,
}

/// As many as hash at once.
const KEPT_MEMORY: usize = 2;

/// What is made: m = 19456 KiB, t = 2, p = 1, the least of OWASP's password storage cheat sheet.
const MADE: Params = Params::DEFAULT;

/// The least memory in KiB by the number of passes (ASVS 5, appendix C).
const LEAST: [(u32, u32); 3] = [(1, 47_104), (2, 19_456), (3, 12_288)];

const MOST_MEMORY: u32 = 1 << 20;
const MOST_PASSES: u32 = 64;
const MOST_LANES: u32 = 16;
/// Memory times passes, in KiB: some hundred times what is made.
const MOST_WORK: u64 = 1 << 22;

/// In bytes, both of RFC 9106 3.1.
const LEAST_SALT: usize = 16;
const LEAST_OUTPUT: usize = 16;

impl Passwords {
    pub(crate) fn new() -> Result<Self, Error> {
        let mut secret = Zeroizing::new([0; 32]);
        getrandom::fill(&mut *secret).map_err(|error| failed("make").with_source(error))?;
        Ok(Self { nobody: made(&*secret)?, memory: Mutex::default() })
    }

    pub(crate) fn hash(&self, password: &Password) -> Result<PasswordHash, Error> {
        made(password.0.as_bytes())
    }

    /// Compares with the hash of a user, `None` if there is no such user: that takes as long.
    ///
    /// A hash with other parameters than those made today takes longer or shorter than nobody's, until it is made anew.
    pub(crate) fn verify(&self, password: &Password, hash: Option<&PasswordHash>) -> Verdict {
        let usable = hash.and_then(|hash| Some((hash, parameters(hash.as_str()).ok()?)));
        let (hash, parameters) = usable.map_or((&self.nobody, None), |(hash, parameters)| (hash, Some(parameters)));
        let is_right = self.is_right(password, hash).unwrap_or(false);
        match parameters {
            Some(parameters) if is_right && work(&parameters) < work(&MADE) => Verdict::RightRehash,
            Some(_) if is_right => Verdict::Right,
            _ => Verdict::Wrong,
        }
    }

    fn is_right(&self, password: &Password, hash: &PasswordHash) -> Option<bool> {
        let hash = phc::PasswordHash::new(hash.as_str()).ok()?;
        let (salt, expected) = (hash.salt?, hash.hash?);
        let parameters = Params::try_from(&hash).ok()?;
        let blocks = parameters.block_count();
        let argon2 = Argon2::new(Algorithm::Argon2id, Version::V0x13, parameters);
        let mut memory = self.kept().pop().unwrap_or_default();
        memory.resize(blocks.max(memory.len()), Block::default());
        let mut output = Zeroizing::new(vec![0; expected.len()]);
        let done = argon2.hash_password_into_with_memory(password.0.as_bytes(), &salt, &mut output, &mut memory[..blocks]);
        // Whoever could read it could try passwords without the work.
        memory.fill(Block::default());
        let mut kept = self.kept();
        if kept.len() < KEPT_MEMORY && memory.len() <= MADE.block_count() {
            kept.push(memory);
        }
        done.ok().map(|()| output.ct_eq(expected.as_bytes()).into())
    }

    fn kept(&self) -> std::sync::MutexGuard<'_, Vec<Vec<Block>>> {
        self.memory.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl fmt::Debug for Passwords {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Passwords(..)")
    }
}

fn made(secret: &[u8]) -> Result<PasswordHash, Error> {
    let argon2 = Argon2::from(MADE);
    let hash: phc::PasswordHash = argon2.hash_password(secret).map_err(|error| failed("make").with_source(error))?;
    Ok(PasswordHash(hash.to_string()))
}

fn work(parameters: &Params) -> u64 {
    u64::from(parameters.m_cost()) * u64::from(parameters.t_cost())
}

/// The parameters of a hash that may be used.
fn parameters(text: &str) -> Result<Params, Error> {
    let refused = |why: String| Err(Error::new(ErrorKind::Config, format!("a password hash is refused: {why}")));
    let Ok(hash) = phc::PasswordHash::new(text) else {
        return refused("it is no PHC string, which begins with $argon2id$v=19$".to_owned());
    };
    if hash.algorithm.as_str() != "argon2id" || hash.version != Some(19) {
        return refused("it is not argon2id of version 19".to_owned());
    }
    let Ok(parameters) = Params::try_from(&hash) else { return refused("its parameters are not those of argon2id".to_owned()) };
    let (memory, passes, lanes) = (parameters.m_cost(), parameters.t_cost(), parameters.p_cost());
    if LEAST.iter().rev().find(|(t, _)| passes >= *t).is_none_or(|(_, least)| memory < *least) {
        return refused(format!("m={memory},t={passes} is weaker than any of m=47104,t=1, m=19456,t=2 and m=12288,t=3"));
    }
    if memory > MOST_MEMORY || passes > MOST_PASSES || lanes > MOST_LANES || work(&parameters) > MOST_WORK {
        return refused(format!("m={memory},t={passes},p={lanes} would take too long at each sign-in"));
    }
    let is_long = hash.salt.is_some_and(|salt| salt.len() >= LEAST_SALT) && hash.hash.is_some_and(|output| output.len() >= LEAST_OUTPUT);
    if !is_long || !parameters.keyid().is_empty() || !parameters.data().is_empty() {
        return refused("it needs a salt and an output of 16 bytes, and neither keyid nor data".to_owned());
    }
    Ok(parameters)
}

fn failed(what: &str) -> Error {
    Error::new(ErrorKind::Storage, format!("cannot {what} a password hash"))
}

#[cfg(test)]
mod tests {
    use std::sync::LazyLock;

    use super::*;

    static PASSWORDS: LazyLock<Passwords> = LazyLock::new(|| Passwords::new().unwrap());

    const SALT: &str = "c29tZXNhbHRzb21lc2FsdA";
    const OUTPUT: &str = "MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNkZWY";

    fn password(text: &str) -> Password {
        Password::new(text.to_owned()).unwrap()
    }

    fn with(parameters: &str) -> String {
        format!("$argon2id$v=19${parameters}${SALT}${OUTPUT}")
    }

    #[test]
    fn a_password_is_verified_byte_for_byte() {
        let exact = " pässwörd\0😀 ";
        let hash = PASSWORDS.hash(&password(exact)).unwrap();
        assert!(hash.as_str().starts_with("$argon2id$v=19$m=19456,t=2,p=1$"), "{}", hash.as_str());
        assert_eq!(PASSWORDS.verify(&password(exact), Some(&hash)), Verdict::Right);
        for other in ["", "pässwörd\0😀", " pässwörd", " PÄSSWÖRD\0😀 ", " pa\u{308}sswo\u{308}rd\0😀 ", " pässwörd\0😀  "]
        {
            assert_eq!(PASSWORDS.verify(&password(other), Some(&hash)), Verdict::Wrong, "{other:?}");
        }
        assert_ne!(PASSWORDS.hash(&password(exact)).unwrap(), hash, "each has its salt");
    }

    #[test]
    fn the_whole_of_a_long_password_counts_and_a_longer_one_is_none() {
        let long = "a".repeat(MAX_PASSWORD);
        let hash = PASSWORDS.hash(&password(&long)).unwrap();
        assert_eq!(PASSWORDS.verify(&password(&long), Some(&hash)), Verdict::Right);
        assert_eq!(PASSWORDS.verify(&password(&long[1..]), Some(&hash)), Verdict::Wrong);
        assert!(Password::new(format!("{long}a")).is_none());
    }

    #[test]
    fn nobody_has_no_password_and_costs_the_same_work() {
        assert_eq!(PASSWORDS.verify(&password(""), None), Verdict::Wrong);
        let (nobody, somebody) = (&PASSWORDS.nobody, PASSWORDS.hash(&password("a")).unwrap());
        let [nobody, somebody] = [nobody, &somebody].map(|hash| parameters(hash.as_str()).unwrap());
        assert_eq!(nobody, somebody);
    }

    #[test]
    fn hashes_as_strong_as_the_standard_asks_are_taken_and_weaker_ones_are_not() {
        for good in ["m=19456,t=2,p=1", "m=47104,t=1,p=1", "m=12288,t=3,p=1", "m=12288,t=5,p=4", "m=65536,t=3,p=4", "m=1048576,t=4,p=1"] {
            PasswordHash::parse(&with(good)).unwrap();
        }
        for bad in [
            "m=19455,t=2,p=1",
            "m=47103,t=1,p=1",
            "m=12287,t=3,p=1",
            "m=4096,t=3,p=1",
            "m=12287,t=64,p=1",
            "m=1048577,t=1,p=1",
            "m=12288,t=65,p=1",
            "m=1048576,t=5,p=1",
            "m=19456,t=2,p=17",
            "m=19456,t=2,p=1,keyid=a2V5",
            "m=19456,t=2",
            "t=2,p=1",
            "m=0,t=2,p=1",
            "m=4294967295,t=4294967295,p=1",
            "m=99999999999,t=2,p=1",
        ] {
            // What is left out has the default, which is good enough.
            let is_default = matches!(bad, "m=19456,t=2" | "t=2,p=1");
            assert_eq!(PasswordHash::parse(&with(bad)).is_ok(), is_default, "{bad}");
        }
    }

    #[test]
    fn what_is_no_argon2id_is_refused_without_being_shown() {
        let good = with("m=19456,t=2,p=1");
        for bad in [
            String::new(),
            "secret".to_owned(),
            "$2b$12$R9h/cIPz0gi.URNNX3kh2OPST9/PgBkqquzi.Ss7KIUgO2t0jWMUW".to_owned(),
            good.replace("argon2id", "argon2i"),
            good.replace("argon2id", "argon2d"),
            good.replace("v=19", "v=16"),
            good.replace("v=19$", ""),
            good.replace(SALT, "c29tZXNhbHQ"),
            good.replace(OUTPUT, "MDEyMzQ1Njc"),
            good.replace(&format!("${OUTPUT}"), ""),
            format!("{good}\n"),
            format!(" {good}"),
            good.repeat(1000),
        ] {
            let error = format!("{:?}", PasswordHash::parse(&bad).unwrap_err());
            assert!(error.contains("refused") && !error.contains(OUTPUT) && !error.contains("secret"), "{error}");
        }
    }

    #[test]
    fn a_weak_hash_in_the_file_opens_nothing_and_one_below_today_is_made_anew() {
        let hashed = |memory, passes| {
            let argon2 = Argon2::from(Params::new(memory, passes, 1, None).unwrap());
            let hash: phc::PasswordHash = argon2.hash_password(b"right").unwrap();
            PasswordHash::stored(hash.to_string())
        };
        assert_eq!(PASSWORDS.verify(&password("right"), Some(&hashed(1024, 2))), Verdict::Wrong);
        assert_eq!(PASSWORDS.verify(&password("right"), Some(&hashed(12_288, 3))), Verdict::RightRehash);
        assert_eq!(PASSWORDS.verify(&password("right"), Some(&hashed(47_104, 1))), Verdict::Right);
        assert_eq!(PASSWORDS.verify(&password("wrong"), Some(&hashed(12_288, 3))), Verdict::Wrong);
        assert_eq!(PASSWORDS.verify(&password("wrong"), Some(&PasswordHash::stored("nonsense".to_owned()))), Verdict::Wrong);
    }

    #[test]
    fn neither_a_password_nor_its_hash_shows() {
        let hash = PASSWORDS.hash(&password("hunter2")).unwrap();
        let shown = format!("{:?} {:?} {:?}", password("hunter2"), hash, *PASSWORDS);
        assert!(!shown.contains("hunter2") && !shown.contains('$'), "{shown}");
    }
}
