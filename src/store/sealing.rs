//! Text that leaves the server and comes back, such as in a field of a page: nobody reads it on its way, or makes it up.

use super::Store;

impl Store {
    /// Seals a text for one purpose.
    pub fn seal(&self, purpose: &str, text: &str) -> Vec<u8> {
        let nonce = crate::random::bytes(&*self.shared.random);
        self.shared.vault.seal(&label(purpose), text.as_bytes(), nonce)
    }

    /// The text that was sealed for this purpose; `None`: it was not, or not by this server.
    pub fn unseal(&self, purpose: &str, sealed: &[u8]) -> Option<String> {
        String::from_utf8(self.shared.vault.open(&label(purpose), sealed).ok()?).ok()
    }
}

/// Apart from those of what is in the database, so that neither opens in the other's place.
fn label(purpose: &str) -> Vec<u8> {
    format!("outside:{purpose}").into_bytes()
}
