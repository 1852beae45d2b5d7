//! A page that is the same as long as the program runs, and long: kept as it is, and compressed. There is nothing in it
//! that is to be guessed, so its length may tell what it holds.

use std::io::Write;

use actix_web::HttpRequest;
use actix_web::http::header::{self, AcceptEncoding, ContentEncoding, Encoding, Header, HeaderValue};
use actix_web::web::Bytes;
use flate2::Compression;
use flate2::write::GzEncoder;

/// See the module.
pub(super) struct Still {
    plain: Bytes,
    gzip: Bytes,
}

impl Still {
    /// Compresses a page.
    ///
    /// # Errors
    /// None: memory takes all that is written.
    pub(super) fn of(text: String) -> std::io::Result<Self> {
        let mut encoder = GzEncoder::new(Vec::new(), Compression::best());
        encoder.write_all(text.as_bytes())?;
        Ok(Self { plain: text.into(), gzip: encoder.finish()?.into() })
    }

    /// The page as this request wants it, with the headers that belong to it.
    pub(super) fn answer(&self, request: &HttpRequest) -> actix_web::HttpResponse {
        let known = [Encoding::identity(), Encoding::gzip()];
        let wanted = AcceptEncoding::parse(request).ok().and_then(|wanted| wanted.negotiate(known.iter()));
        let zipped = wanted == Some(Encoding::gzip());
        let mut response = super::html(if zipped { self.gzip.clone() } else { self.plain.clone() });
        response.headers_mut().insert(header::VARY, HeaderValue::from_static("accept-encoding"));
        if zipped {
            let gzip = HeaderValue::from_static(ContentEncoding::Gzip.as_str());
            response.headers_mut().insert(header::CONTENT_ENCODING, gzip);
        }
        response
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Read;

    use actix_web::body::MessageBody;
    use actix_web::test::TestRequest;
    use flate2::read::GzDecoder;

    #[test]
    fn whoever_asks_for_it_gets_it_compressed_and_nobody_else() {
        let text = "a line of the reference\n".repeat(1_000);
        let page = Still::of(text.clone()).unwrap();
        for (wanted, zipped) in [
            (None, false),
            (Some("gzip, deflate, br, zstd"), true),
            (Some("identity"), false),
            (Some("br;q=1.0, gzip;q=0"), false),
        ] {
            let request = TestRequest::default();
            let request = wanted
                .into_iter()
                .fold(request, |request, wanted| request.insert_header((header::ACCEPT_ENCODING, wanted)));
            let response = page.answer(&request.to_http_request());
            assert_eq!(response.headers().contains_key(header::CONTENT_ENCODING), zipped, "{wanted:?}");
            assert_eq!(response.headers().get(header::VARY).unwrap(), "accept-encoding");
            let body = response.into_body().try_into_bytes().unwrap();
            let mut told = String::new();
            if zipped {
                assert!(body.len() < text.len() / 10);
                GzDecoder::new(&body[..]).read_to_string(&mut told).unwrap();
            } else {
                told.push_str(std::str::from_utf8(&body).unwrap());
            }
            assert_eq!(told, text);
        }
    }
}
