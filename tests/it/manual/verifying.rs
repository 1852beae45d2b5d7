//! The pages about verifying: each receiver, as its page shows it, accepts what we send and nothing else.

use std::path::Path;
use std::process::Command;

use serde_json::json;

use crate::support::app::{TestApp, text};
use crate::support::client::Client;
use crate::support::foreign::in_target;
use crate::support::guide;
use crate::support::port;
use crate::support::process::{self, PATIENCE, Process};

/// A server for the application of Rack, as small as can be: one request for each connection.
const RACK: &str = r#"
require 'socket'
require 'stringio'
require_relative 'receiver'
server = TCPServer.new('127.0.0.1', Integer(ENV.fetch('PORT')))
loop do
  client = server.accept
  next client.close unless client.gets
  env = {}
  while (line = client.gets.chomp) != ''
    name, value = line.split(': ', 2)
    name = name.upcase.tr('-', '_')
    env[name.start_with?('CONTENT_') ? name : "HTTP_#{name}"] = value
  end
  env['rack.input'] = StringIO.new(client.read(Integer(env['CONTENT_LENGTH'])))
  status, _headers, body = RECEIVER.call(env)
  client.write("HTTP/1.1 #{status} \r\ncontent-length: #{body.sum(&:bytesize)}\r\nconnection: close\r\n\r\n", *body)
  client.close
end
"#;

/// The same for what answers in words of the crate `http`.
const MAIN_RS: &str = r#"
mod receiver;
mod verify;

use std::io::{BufRead, BufReader, Read, Write};

fn main() {
    let port = std::env::var("PORT").unwrap();
    for stream in std::net::TcpListener::bind(format!("127.0.0.1:{port}")).unwrap().incoming() {
        let mut reader = BufReader::new(stream.unwrap());
        let mut headers = http::HeaderMap::new();
        let mut line = String::new();
        if reader.read_line(&mut line).unwrap() == 0 {
            continue;
        }
        loop {
            line.clear();
            reader.read_line(&mut line).unwrap();
            let Some((name, value)) = line.trim_end().split_once(": ") else { break };
            headers.insert(http::HeaderName::try_from(name).unwrap(), value.parse().unwrap());
        }
        let mut body = vec![0; headers["content-length"].to_str().unwrap().parse().unwrap()];
        reader.read_exact(&mut body).unwrap();
        let (status, text) = receiver::receive(&headers, &body);
        let head = format!("HTTP/1.1 {} \r\ncontent-length: {}\r\nconnection: close\r\n\r\n", status.as_u16(), text.len());
        reader.get_mut().write_all((head + &text).as_bytes()).unwrap();
    }
}
"#;

/// Lets the page's receiver answer a delivery, the same with another body, and one without its signature. `start` puts its
/// files into the folder and says how it is started.
#[track_caller]
fn answers(page: &str, start: impl FnOnce(&str, &Path) -> Command) {
    let page = super::page(page);
    let dir = tempfile::tempdir().expect("a temporary directory");
    let free = port::free();
    let app = TestApp::start();
    let made = app.create_endpoint(&json!({ "url": format!("http://{free}/hook"), "events": ["*"] }));
    let mut command = start(&page, dir.path());
    command.current_dir(dir.path()).env("PORT", free.port().to_string());
    let process = Process::spawn(command.env("WEBHOOK_SECRET", text(&made, "secret")));
    process::until(&format!("the receiver to listen: {}", process.log()), PATIENCE * 10, || {
        std::net::TcpStream::connect(free).ok()
    });

    let event = app.publish("order.paid", &json!({ "what": "ça marche" }));
    app.settle();
    let delivery = app.delivery(&text(&app.delivery_of(&event), "id"));
    assert_eq!(delivery["status"], "delivered", "{delivery}\n{}", process.log());
    assert_eq!(delivery["response_body"], "thank you");

    let sent = delivery["attempt_list"][0]["request_headers"].as_object().expect("headers").clone();
    let body = text(&delivery, "request_body");
    let ask = |without: &str, body: &str| {
        let kept =
            sent.iter().filter(|(name, _)| *name != without && *name != "host" && *name != "content-length");
        let headers: Vec<_> =
            kept.filter_map(|(name, value)| Some((name.as_str(), value.as_str()?))).collect();
        Client::tcp(free).request("POST", "/hook", &headers, Some(body.as_bytes())).status
    };
    assert_eq!(ask("", &body), 200, "{sent:?} {body}");
    assert_eq!(ask("", &body.replace("marche", "marcha")), 401);
    assert_eq!(ask("webhook-signature", &body), 401);
}

/// Writes a block of the page into a file.
fn save(page: &str, mark: &str, file: &Path) {
    std::fs::create_dir_all(file.parent().expect("a folder")).expect("a folder");
    std::fs::write(file, guide::block(page, mark)).expect("a file");
}

#[test]
fn in_python() {
    answers("verifying-python", |page, dir| {
        save(page, "python verify", &dir.join("verify.py"));
        save(page, "python receiver", &dir.join("receiver.py"));
        let mut command = Command::new("python3");
        command.args(["-B", "receiver.py"]);
        command
    });
}

#[test]
fn in_node() {
    answers("verifying-node", |page, dir| {
        save(page, "node verify", &dir.join("verify.js"));
        save(page, "js receiver", &dir.join("receiver.js"));
        let mut command = Command::new("node");
        command.arg("receiver.js");
        command
    });
}

#[test]
fn in_php() {
    answers("verifying-php", |page, dir| {
        save(page, "php verify", &dir.join("verify.php"));
        save(page, "php receiver", &dir.join("receiver.php"));
        let mut command = Command::new("sh");
        command.args(["-c", "exec php -S 127.0.0.1:$PORT receiver.php"]);
        command
    });
}

#[test]
fn in_ruby() {
    answers("verifying-ruby", |page, dir| {
        save(page, "ruby verify", &dir.join("verify.rb"));
        save(page, "ruby receiver", &dir.join("receiver.rb"));
        std::fs::write(dir.join("server.rb"), RACK).expect("a file");
        let mut command = Command::new("ruby");
        command.arg("server.rb");
        command
    });
}

#[test]
fn in_go() {
    answers("verifying-go", |page, dir| {
        save(page, "go verify", &dir.join("webhooks/verify.go"));
        save(page, "go receiver", &dir.join("main.go"));
        std::fs::write(dir.join("go.mod"), "module receiver\n\ngo 1.19\n").expect("a file");
        let built = Command::new("go")
            .args(["build", "-o", "receiver", "."])
            .current_dir(dir)
            .env("GOCACHE", in_target("verify-go"))
            .env("GOPROXY", "off")
            .env("CGO_ENABLED", "0")
            .output()
            .expect("go");
        assert!(built.status.success(), "{}", String::from_utf8_lossy(&built.stderr));
        Command::new(dir.join("receiver"))
    });
}

#[test]
fn in_rust() {
    answers("verifying-rust", |page, dir| {
        save(page, "rust verify", &dir.join("src/verify.rs"));
        save(page, "rust receiver", &dir.join("src/receiver.rs"));
        std::fs::write(dir.join("src/main.rs"), MAIN_RS).expect("a file");
        let code = guide::block(page, "rust verify");
        let named = code.lines().filter_map(|line| line.strip_prefix("//!     "));
        let needed: Vec<_> = named.chain(["http = \"1\""]).collect();
        let manifest = format!(
            "[package]\nname = \"receiver\"\nversion = \"0.0.0\"\nedition = \"2021\"\n\n[dependencies]\n{}\n\n[workspace]\n",
            needed.join("\n")
        );
        std::fs::write(dir.join("Cargo.toml"), manifest).expect("a file");
        let own = Path::new(env!("CARGO_MANIFEST_DIR")).join("Cargo.lock");
        std::fs::copy(own, dir.join("Cargo.lock")).expect("the versions");
        let mut command = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
        command.args(["run", "--quiet", "--offline", "--target-dir"]).arg(in_target("verify-rust"));
        command
    });
}
