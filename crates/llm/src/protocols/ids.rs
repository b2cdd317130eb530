//! Tool call ids as a provider accepts them: the same for a call and its return, and stable from request to request.

use std::borrow::Cow;

/// What ids a provider takes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum IdForm {
    /// Letters, digits, `-` and `_`, at most this many.
    Plain(usize),
    /// Exactly nine letters or digits.
    NineAlphanumeric,
}

impl IdForm {
    /// The id itself where it fits; else a shortened one that still differs where the originals differ.
    pub(super) fn fit<'a>(self, id: &'a str) -> Cow<'a, str> {
        let plain = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_');
        match self {
            Self::Plain(max) => {
                if !id.is_empty() && id.len() <= max && id.bytes().all(plain) {
                    return Cow::Borrowed(id);
                }
                let hash = format!("_{:016x}", fnv(id));
                let kept = id.chars().map(|c| if c.is_ascii() && plain(c as u8) { c } else { '_' });
                Cow::Owned(kept.take(max.saturating_sub(hash.len())).collect::<String>() + &hash)
            }
            Self::NineAlphanumeric => {
                if id.len() == 9 && id.bytes().all(|byte| byte.is_ascii_alphanumeric()) {
                    return Cow::Borrowed(id);
                }
                const DIGITS: &[u8; 36] = b"0123456789abcdefghijklmnopqrstuvwxyz";
                let mut rest = fnv(id);
                let mut out = String::with_capacity(9);
                for _ in 0..9 {
                    let digit = usize::try_from(rest % 36).expect("below 36");
                    out.push(char::from(DIGITS[digit]));
                    rest /= 36;
                }
                Cow::Owned(out)
            }
        }
    }
}

/// FNV-1a: the same on every machine and in every version, which a prompt cache needs.
fn fnv(text: &str) -> u64 {
    text.bytes().fold(0xcbf2_9ce4_8422_2325, |hash, byte| {
        (hash ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01b3)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_fit_and_stay_distinct() {
        let long = "call_".to_owned() + &"a".repeat(60);
        let form = IdForm::Plain(40);
        assert_eq!(form.fit("call_1"), "call_1");
        for id in ["", "a b", "ü", &long, &(long.clone() + "b")] {
            let fitted = form.fit(id);
            assert!(fitted.len() <= 40 && fitted.is_ascii() && !fitted.contains(' '), "{id} -> {fitted}");
        }
        assert_ne!(form.fit("a b"), form.fit("a_b"));
        assert_ne!(form.fit(&long), form.fit(&(long.clone() + "b")));
        assert_eq!(IdForm::NineAlphanumeric.fit("abcdefgh1"), "abcdefgh1");
        assert_eq!(IdForm::NineAlphanumeric.fit("call_1").len(), 9);
    }
}
