//! JSON (RFC 8259) read a second time, plainly: a tree in which every value knows its own text. Nothing of the engine
//! and nothing of `serde_json` is used, so that what those answer can be compared with it.

/// Deeper than this the model does not look; the engine refuses such texts long before.
const DEEPEST: usize = 100;

/// A value and the text that it was read from.
#[derive(Debug)]
pub struct Json<'a> {
    pub text: &'a str,
    pub kind: Kind<'a>,
}

#[derive(Debug)]
pub enum Kind<'a> {
    Null,
    Bool(bool),
    /// Its text says everything.
    Number,
    /// What it means; `None` if it holds half of a surrogate pair, which is no character.
    Text(Option<String>),
    Array(Vec<Json<'a>>),
    /// The members in their order, repeated ones too.
    Object(Vec<(Option<String>, Json<'a>)>),
}

/// What came of reading a text.
pub struct Read<'a> {
    /// The one value; `None` if the text is no JSON, or nests deeper than the model looks.
    pub json: Option<Json<'a>>,
    /// The deepest nesting up to where reading ended.
    pub deepest: usize,
}

/// Reads a text that should be one JSON value with blanks around it.
pub fn read(text: &str) -> Read<'_> {
    let mut reader = Reader { text, at: 0, depth: 0, deepest: 0 };
    let json = reader.whole();
    Read { json, deepest: reader.deepest }
}

impl<'a> Json<'a> {
    /// The members, if it is an object.
    pub fn members(&self) -> Option<&[(Option<String>, Json<'a>)]> {
        match &self.kind {
            Kind::Object(members) => Some(members),
            _ => None,
        }
    }

    /// What the text means, if it is a text that means something.
    pub fn as_text(&self) -> Option<&str> {
        match &self.kind {
            Kind::Text(Some(text)) => Some(text),
            _ => None,
        }
    }

    /// The last member of an object under this key.
    pub fn last(&self, key: &str) -> Option<&Json<'a>> {
        let named = |(name, _): &&(Option<String>, Json<'a>)| name.as_deref() == Some(key);
        self.members()?.iter().rev().find(named).map(|(_, value)| value)
    }
}

struct Reader<'a> {
    text: &'a str,
    at: usize,
    depth: usize,
    deepest: usize,
}

impl<'a> Reader<'a> {
    fn whole(&mut self) -> Option<Json<'a>> {
        let json = self.value()?;
        self.blanks();
        (self.at == self.text.len()).then_some(json)
    }

    fn next(&self) -> Option<u8> {
        self.text.as_bytes().get(self.at).copied()
    }

    fn blanks(&mut self) {
        while matches!(self.next(), Some(b' ' | b'\t' | b'\n' | b'\r')) {
            self.at += 1;
        }
    }

    fn take(&mut self, wanted: &str) -> Option<()> {
        self.text.get(self.at..)?.starts_with(wanted).then(|| self.at += wanted.len())
    }

    fn value(&mut self) -> Option<Json<'a>> {
        self.blanks();
        let start = self.at;
        let kind = match self.next()? {
            b'n' => self.take("null").map(|()| Kind::Null),
            b't' => self.take("true").map(|()| Kind::Bool(true)),
            b'f' => self.take("false").map(|()| Kind::Bool(false)),
            b'"' => self.string().map(|units| Kind::Text(meaning(&units))),
            b'[' => self.container(b']', Self::value).map(Kind::Array),
            b'{' => self.container(b'}', Self::member).map(Kind::Object),
            _ => self.number().map(|()| Kind::Number),
        };
        Some(Json { kind: kind?, text: self.text.get(start..self.at)? })
    }

    fn container<T>(&mut self, end: u8, item: fn(&mut Self) -> Option<T>) -> Option<Vec<T>> {
        self.at += 1;
        self.depth += 1;
        self.deepest = self.deepest.max(self.depth);
        if self.depth > DEEPEST {
            return None;
        }
        let mut items = Vec::new();
        self.blanks();
        if self.next()? != end {
            loop {
                items.push(item(self)?);
                self.blanks();
                if self.next()? == end {
                    break;
                }
                self.take(",")?;
            }
        }
        self.at += 1;
        self.depth -= 1;
        Some(items)
    }

    fn member(&mut self) -> Option<(Option<String>, Json<'a>)> {
        self.blanks();
        (self.next()? == b'"').then_some(())?;
        let key = meaning(&self.string()?);
        self.blanks();
        self.take(":")?;
        Some((key, self.value()?))
    }

    /// A string in units of UTF-16, as its escapes are.
    fn string(&mut self) -> Option<Vec<u16>> {
        self.take("\"")?;
        let mut units = Vec::new();
        loop {
            let c = self.text.get(self.at..)?.chars().next()?;
            self.at += c.len_utf8();
            match c {
                '"' => return Some(units),
                '\\' => units.push(self.escape()?),
                c if c < ' ' => return None,
                c => units.extend_from_slice(c.encode_utf16(&mut [0; 2])),
            }
        }
    }

    fn escape(&mut self) -> Option<u16> {
        let kind = self.next()?;
        self.at += 1;
        Some(match kind {
            b'"' | b'\\' | b'/' => u16::from(kind),
            b'b' => 8,
            b'f' => 12,
            b'n' => 10,
            b'r' => 13,
            b't' => 9,
            b'u' => {
                let digits = self.text.get(self.at..self.at + 4)?;
                self.at += 4;
                let hex = digits.bytes().all(|b| b.is_ascii_hexdigit());
                hex.then(|| u16::from_str_radix(digits, 16).ok())??
            }
            _ => return None,
        })
    }

    fn number(&mut self) -> Option<()> {
        let rest = self.text.get(self.at..)?;
        let end = rest.find(|c: char| !matches!(c, '0'..='9' | '.' | 'e' | 'E' | '+' | '-'));
        let text = rest.get(..end.unwrap_or(rest.len()))?;
        is_number(text).then(|| self.at += text.len())
    }
}

/// The text, unless half a surrogate pair is in it.
fn meaning(units: &[u16]) -> Option<String> {
    String::from_utf16(units).ok()
}

/// Whether a text is a JSON number and nothing else.
pub fn is_number(text: &str) -> bool {
    let rest = text.strip_prefix('-').unwrap_or(text);
    let (mantissa, exponent) = match rest.find(['e', 'E']) {
        Some(at) => (&rest[..at], Some(&rest[at + 1..])),
        None => (rest, None),
    };
    let (whole, fraction) = match mantissa.find('.') {
        Some(at) => (&mantissa[..at], Some(&mantissa[at + 1..])),
        None => (mantissa, None),
    };
    let digits = |text: &str| !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit());
    let unsigned = |text: &str| digits(text.strip_prefix(['+', '-']).unwrap_or(text));
    digits(whole)
        && (whole == "0" || !whole.starts_with('0'))
        && fraction.is_none_or(digits)
        && exponent.is_none_or(unsigned)
}

/// A JSON number as its digits without zeros at either end, and the power of ten of the last one. `None` where
/// the exponent has more than 18 digits.
pub fn decimal(text: &str) -> Option<(bool, String, i128)> {
    let negative = text.starts_with('-');
    let text = text.trim_start_matches('-').to_ascii_lowercase();
    let (mantissa, exponent) = text.split_once('e').unwrap_or((&text, "0"));
    let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
    let all = format!("{whole}{fraction}");
    let digits = all.trim_start_matches('0');
    let stripped = digits.trim_end_matches('0');
    if stripped.is_empty() {
        return Some((false, String::new(), 0));
    }
    let plain = exponent.trim_start_matches(['+', '-']).trim_start_matches('0');
    if plain.len() > 18 {
        return None;
    }
    let size: i128 = if plain.is_empty() { 0 } else { plain.parse().ok()? };
    let exponent = if exponent.starts_with('-') { -size } else { size };
    let zeros = i128::try_from(digits.len() - stripped.len()).ok()?;
    Some((negative, stripped.to_owned(), exponent - i128::try_from(fraction.len()).ok()? + zeros))
}
