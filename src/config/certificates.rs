//! `--extra-ca`: authorities that are trusted for endpoints besides the public ones.

use std::fs::File;
use std::io::Read;

use rustls::RootCertStore;
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject;

use super::environment::{ConfigError, Environment};
use super::flags::EXTRA_CA;

/// Enough for every public authority of a system's own bundle, several times over.
const FILE_MAX: u64 = 16 * 1024 * 1024;

/// The certificates in the file that a command's `--extra-ca` names, or else the variable; none where neither does.
///
/// # Errors
/// The setting that cannot be used, by its two names.
pub fn extra_ca(
    flag: Option<String>,
    env: &Environment,
) -> Result<Vec<CertificateDer<'static>>, ConfigError> {
    Ok(env.text(EXTRA_CA, flag)?.as_deref().map(read).transpose()?.unwrap_or_default())
}

/// Reads every certificate in the PEM file (RFC 7468) and makes sure that each can serve as an authority.
/// Other sections, such as private keys, are passed over.
pub(super) fn read(path: &str) -> Result<Vec<CertificateDer<'static>>, ConfigError> {
    let mut bytes = Vec::new();
    File::open(path)
        .and_then(|file| file.take(FILE_MAX + 1).read_to_end(&mut bytes))
        .map_err(|error| about(path, format_args!("cannot be read: {error}")))?;
    if bytes.len() as u64 > FILE_MAX {
        return Err(about(path, "is larger than 16 MB, and cannot be a list of certificates"));
    }
    let mut certificates = Vec::new();
    for (number, section) in (1..).zip(CertificateDer::pem_slice_iter(&bytes)) {
        let certificate = section.map_err(|error| about(path, format_args!("is damaged PEM: {error}")))?;
        RootCertStore::empty().add(certificate.clone()).map_err(|error| {
            about(path, format_args!("has an unusable certificate, number {number}: {error}"))
        })?;
        certificates.push(certificate);
    }
    if certificates.is_empty() {
        return Err(about(path, "holds no PEM certificate (-----BEGIN CERTIFICATE-----)"));
    }
    Ok(certificates)
}

fn about(path: &str, says: impl std::fmt::Display) -> ConfigError {
    ConfigError::about(EXTRA_CA, format_args!("names the file {path:?}, which {says}"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use rcgen::{CertificateParams, KeyPair};

    fn authority(name: &str) -> String {
        let key = KeyPair::generate().unwrap();
        CertificateParams::new(vec![name.to_owned()]).unwrap().self_signed(&key).unwrap().pem()
    }

    fn read_text(text: &[u8]) -> Result<usize, String> {
        let file = tempfile::NamedTempFile::new().unwrap();
        std::fs::write(file.path(), text).unwrap();
        let path = file.path().to_str().unwrap();
        read(path).map(|c| c.len()).map_err(|error| {
            let error = error.to_string();
            assert!(
                error.starts_with("--extra-ca (POSTRIDER_EXTRA_CA) names the file ") && error.contains(path)
            );
            error
        })
    }

    #[test]
    fn every_certificate_of_a_bundle_is_read_and_other_sections_are_passed_over() {
        let key = KeyPair::generate().unwrap().serialize_pem();
        let bundle = format!("# ours\n{}\n{key}\n{}", authority("a.example"), authority("b.example"));
        assert_eq!(read_text(bundle.as_bytes()), Ok(2));
    }

    #[test]
    fn what_is_wrong_is_said_with_the_name_of_the_file() {
        let good = authority("a.example");
        let (cut, _) = good.split_at(good.len() / 2);
        assert!(read_text(b"").unwrap_err().contains("no PEM certificate"));
        assert!(read_text(b"\x30\x82\x01\x00 DER").unwrap_err().contains("no PEM certificate"));
        assert!(read_text(cut.as_bytes()).unwrap_err().contains("damaged PEM"));
        let other = format!("{good}-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n");
        assert!(read_text(other.as_bytes()).unwrap_err().contains("unusable certificate, number 2"));
    }

    #[test]
    fn a_file_that_is_not_there_or_is_a_folder_cannot_be_read() {
        let folder = tempfile::tempdir().unwrap();
        for path in [folder.path().to_path_buf(), folder.path().join("none.pem")] {
            assert!(read(path.to_str().unwrap()).unwrap_err().to_string().contains("cannot be read"));
        }
    }
}
