//! The caller that the host has verified.

/// The caller of a request, or `None` if the caller is anonymous. The application adds the caller to the request's
/// extensions.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Caller(pub Option<String>);

impl Caller {
    /// Returns the caller that a verified JWT names. A subject is unique only within its issuer (RFC 7519, section
    /// 4.1.2), so the caller's name consists of issuer and subject. If the issuer is `home_issuer` or absent, the name
    /// is the subject alone. Most deployments accept only the `home_issuer`.
    pub fn of(issuer: Option<&str>, subject: Option<&str>, home_issuer: Option<&str>) -> Self {
        let subject = subject.filter(|subject| !subject.is_empty());
        Self(subject.map(|subject| match issuer {
            // A line break separates issuer and subject, because no issuer contains a line break. The issuer is never
            // omitted if the subject contains a line break, so the subject can't imitate a caller of another issuer.
            Some(issuer) if Some(issuer) != home_issuer || subject.contains('\n') => format!("{issuer}\n{subject}"),
            _ => subject.to_owned(),
        }))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn callers_differ_if_issuer_or_subject_differs() {
        let of = |issuer, subject| Caller::of(issuer, Some(subject), Some("https://home")).0.expect("a caller");
        assert_eq!(of(Some("https://home"), "alice"), "alice");
        assert_eq!(of(None, "alice"), "alice");
        let all = [
            of(Some("https://home"), "alice"),
            of(Some("https://other"), "alice"),
            of(Some("https://othera"), "lice"),
            of(Some("https://home"), "https://other\nalice"),
            of(Some("https://other"), "https://home\nalice"),
        ];
        for (index, caller) in all.iter().enumerate() {
            assert!(!all[..index].contains(caller), "two callers have the name {caller:?}");
        }
        assert_eq!(Caller::of(Some("https://home"), Some("alice"), None).0.as_deref(), Some("https://home\nalice"));
        for missing in [None, Some("")] {
            assert_eq!(Caller::of(Some("https://other"), missing, None), Caller(None));
        }
    }
}
