//! The page's token: whoever has it got it from this process.

use subtle::ConstantTimeEq;

/// 128 random bits as 32 hexadecimal digits.
#[derive(Clone)]
pub(super) struct Token(String);

impl Token {
    /// Creates a new token from the operating system's randomness.
    pub fn new() -> Result<Self, getrandom::Error> {
        let mut bytes = [0; 16];
        getrandom::fill(&mut bytes)?;
        Ok(Token(bytes.iter().map(|byte| format!("{byte:02x}")).collect()))
    }

    /// Whether this is the token, compared in constant time.
    pub fn is(&self, other: &str) -> bool {
        self.0.as_bytes().ct_eq(other.as_bytes()).into()
    }

    /// Returns a name that distinguishes this token from another process's without revealing it.
    pub fn name(&self) -> String {
        blake3::hash(self.0.as_bytes()).to_hex().chars().take(16).collect()
    }

    /// Returns the token itself, to be given to the page and to nobody else.
    pub fn reveal(&self) -> &str {
        &self.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_itself_is_itself() {
        let (token, other) = (Token::new().unwrap(), Token::new().unwrap());
        assert_eq!(token.reveal().len(), 32);
        assert!(token.is(token.reveal()));
        assert!(!token.is(other.reveal()) && !token.is("") && !token.is(&token.reveal()[..31]));
    }
}
