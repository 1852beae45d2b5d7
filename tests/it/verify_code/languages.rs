//! The languages of receivers: what asks the code of each about requests.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::{Mutex, PoisonError};

use serde_json::{Value, json};

use crate::support::foreign::{in_target, packages};

/// The code for a format, and the requests that it is asked about.
pub struct Program {
    pub code: String,
    pub cases: Vec<Value>,
}

/// What each program says of each of its requests.
type Said = Vec<Vec<String>>;

/// A language.
pub struct Language {
    pub name: &'static str,
    run: fn(&Path, &[Program]) -> Said,
}

impl Language {
    /// Runs the code; `dir` is a folder for its files.
    pub fn run(&self, dir: &Path, programs: &[Program]) -> Said {
        let dir = dir.join(self.name);
        std::fs::create_dir_all(&dir).expect("a folder");
        (self.run)(&dir, programs)
    }
}

/// All of them.
pub const LANGUAGES: [Language; 6] = [
    Language { name: "python", run: python },
    Language { name: "node", run: node },
    Language { name: "php", run: php },
    Language { name: "ruby", run: ruby },
    Language { name: "go", run: go },
    Language { name: "rust", run: rust },
];

const PYTHON: &str = r#"
import base64, json, sys
from code_to_test import verify
for case in json.load(sys.stdin):
    try:
        verify(case["headers"], base64.b64decode(case["body"]), case["secret"])
        print("genuine")
    except ValueError:
        print("refused")
"#;
const NODE: &str = r#"
const { verify } = require("./code_to_test.js");
for (const { headers, body, secret } of JSON.parse(require("fs").readFileSync(0))) {
  try {
    verify(headers, Buffer.from(body, "base64"), secret);
    console.log("genuine");
  } catch (error) {
    console.log("refused");
  }
}
"#;
const PHP: &str = r#"<?php
require __DIR__ . '/code_to_test.php';
foreach (json_decode(stream_get_contents(STDIN), true) as $case) {
    try {
        verify($case['headers'], base64_decode($case['body']), $case['secret']);
        echo "genuine\n";
    } catch (RuntimeException $refused) {
        echo "refused\n";
    }
}
"#;
const RUBY: &str = r"
require 'json'
require_relative 'code_to_test'
JSON.parse($stdin.read).each do |request|
  verify(request['headers'], request['body'].unpack1('m'), request['secret'])
  puts 'genuine'
rescue ArgumentError
  puts 'refused'
end
";
const GO: &str = r#"
type request struct {
	Headers map[string]string
	Body    []byte
	Secret  string
}

func main() {
	var programs [][]request
	if err := json.NewDecoder(os.Stdin).Decode(&programs); err != nil {
		panic(err)
	}
	for at, requests := range programs {
		for _, request := range requests {
			headers := http.Header{}
			for name, value := range request.Headers {
				headers.Set(name, value)
			}
			if verify[at](headers, request.Body, request.Secret) == nil {
				fmt.Println("genuine")
			} else {
				fmt.Println("refused")
			}
		}
		fmt.Println("end")
	}
}
"#;
const RUST: &str = r#"
fn main() {
    let programs: Vec<Vec<serde_json::Value>> = serde_json::from_reader(std::io::stdin()).unwrap();
    for (at, requests) in programs.iter().enumerate() {
        for request in requests {
            let header = |name: &str| request["headers"][name].as_str();
            let body = data_encoding::BASE64.decode(request["body"].as_str().unwrap().as_bytes()).unwrap();
            let verified = verify(at, header, &body, request["secret"].as_str().unwrap());
            println!("{}", if verified.is_ok() { "genuine" } else { "refused" });
        }
        println!("end");
    }
}
"#;

fn write(path: PathBuf, text: &str) -> PathBuf {
    std::fs::create_dir_all(path.parent().expect("a folder")).expect("a folder");
    std::fs::write(&path, text).expect("a file");
    path
}

/// What the program prints, which reads this JSON.
fn said(command: &mut Command, dir: &Path, input: &Value) -> String {
    let cases = write(dir.join("cases.json"), &input.to_string());
    let output = command.current_dir(dir).stdin(std::fs::File::open(cases).expect("the cases")).output();
    let output = output.unwrap_or_else(|error| panic!("{command:?}: {error}"));
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{command:?}: {errors}");
    String::from_utf8_lossy(&output.stdout).into_owned()
}

/// Runs one program after another.
fn interpreted(dir: &Path, interpreter: &Path, ending: &str, driver: &str, programs: &[Program]) -> Said {
    let run = |program: &Program| {
        write(dir.join(format!("code_to_test.{ending}")), &program.code);
        let driver = write(dir.join(format!("driver.{ending}")), driver);
        let mut command = Command::new(interpreter);
        command.arg(driver).env("PYTHONDONTWRITEBYTECODE", "1");
        said(&mut command, dir, &json!(program.cases)).lines().map(str::to_owned).collect()
    };
    programs.iter().map(run).collect()
}

fn python(dir: &Path, programs: &[Program]) -> Said {
    interpreted(dir, &packages().join("venv/bin/python"), "py", PYTHON, programs)
}

fn node(dir: &Path, programs: &[Program]) -> Said {
    interpreted(dir, Path::new("node"), "js", NODE, programs)
}

fn php(dir: &Path, programs: &[Program]) -> Said {
    interpreted(dir, Path::new("php"), "php", PHP, programs)
}

fn ruby(dir: &Path, programs: &[Program]) -> Said {
    interpreted(dir, Path::new("ruby"), "rb", RUBY, programs)
}

/// What a driver of them all has printed.
fn taken_apart(said: &str) -> Said {
    let mut all = vec![Vec::new()];
    for line in said.lines() {
        match line {
            "end" => all.push(Vec::new()),
            word => all.last_mut().expect("one").push(word.to_owned()),
        }
    }
    all.pop();
    all
}

fn cases(programs: &[Program]) -> Value {
    programs.iter().map(|program| json!(program.cases)).collect()
}

/// One program of which each code is a package.
fn go(dir: &Path, programs: &[Program]) -> Said {
    let (mut imports, mut calls) = (String::new(), String::new());
    for (at, program) in programs.iter().enumerate() {
        write(dir.join(format!("f{at}/verify.go")), &program.code);
        let _ = writeln!(imports, "\tf{at} \"check/f{at}\"");
        let signed = program.code.contains("func VerifyWith");
        let call = if signed { "VerifyWith(headers, body, secret)" } else { "Verify(headers, body)" };
        let _ = writeln!(
            calls,
            "\tfunc(headers http.Header, body []byte, secret string) error {{ return f{at}.{call} }},"
        );
    }
    write(dir.join("go.mod"), "module check\n\ngo 1.19\n");
    let main = format!(
        "package main\n\nimport (\n\t\"encoding/json\"\n\t\"fmt\"\n\t\"net/http\"\n\t\"os\"\n{imports})\n\n\
         var verify = []func(http.Header, []byte, string) error{{\n{calls}}}\n{GO}"
    );
    write(dir.join("main.go"), &main);
    let mut command = Command::new("go");
    command
        .args(["run", "."])
        .env("GOCACHE", in_target("verify-go"))
        .env("GOPROXY", "off")
        .env("CGO_ENABLED", "0");
    taken_apart(&said(&mut command, dir, &cases(programs)))
}

/// What was built last is run, so that nobody may build in between.
static CRATE: Mutex<()> = Mutex::new(());

/// One crate of which each code is a module, with the dependencies that they name, in the versions of our own.
fn rust(dir: &Path, programs: &[Program]) -> Said {
    let _alone = CRATE.lock().unwrap_or_else(PoisonError::into_inner);
    let mut dependencies: Vec<&str> = vec!["data-encoding = \"2\"", "serde_json = \"1\""];
    let (mut modules, mut calls) = (String::new(), String::new());
    for (at, program) in programs.iter().enumerate() {
        write(dir.join(format!("src/f{at}.rs")), &program.code);
        dependencies.extend(program.code.lines().filter_map(|line| line.strip_prefix("//!     ")));
        let _ = writeln!(modules, "mod f{at};");
        let signed = program.code.contains("fn verify_with");
        let call = if signed { "verify_with(header, body, secret)" } else { "verify(header, body)" };
        let _ = writeln!(calls, "        {at} => f{at}::{call},");
    }
    dependencies.sort_unstable();
    dependencies.dedup();
    let dependencies = dependencies.join("\n");
    let manifest = format!(
        "[package]\nname = \"verify\"\nversion = \"0.0.0\"\nedition = \"2021\"\n\n[dependencies]\n{dependencies}\n\n[workspace]\n"
    );
    write(dir.join("Cargo.toml"), &manifest);
    let main = format!(
        "#![deny(warnings)]\n#![allow(dead_code)]\n\n{modules}\nfn verify<'a>(\n    at: usize,\n    \
         header: impl Fn(&str) -> Option<&'a str>,\n    body: &[u8],\n    secret: &str,\n) -> Result<(), String> {{\n    \
         match at {{\n{calls}        _ => Err(\"no such program\".to_owned()),\n    }}\n}}\n{RUST}"
    );
    write(dir.join("src/main.rs"), &main);
    let own = Path::new(env!("CARGO_MANIFEST_DIR")).join("Cargo.lock");
    std::fs::copy(own, dir.join("Cargo.lock")).expect("the versions");
    let mut command = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    command.args(["run", "--quiet", "--offline", "--target-dir"]).arg(in_target("verify-rust"));
    taken_apart(&said(&mut command, dir, &cases(programs)))
}
