//! A stand-in for the API of Amazon ECR on the loopback, as far as pull-through cache rules go.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::path::Path;
use std::process::Command;
use std::sync::{Arc, Mutex};

use serde_json::{Value, json};

use super::common::tools::Package;

pub(super) const AWS: Package = Package {
    name: "awscli",
    version: "1.46.3",
    command: "aws",
};

/// The API: it knows rules, and keeps what it was asked.
pub(super) struct Stub {
    address: String,
    state: Arc<Mutex<State>>,
}

#[derive(Default)]
pub(super) struct State {
    pub(super) rules: Vec<Value>,
    /// How many rules stand on a page.
    pub(super) page: usize,
    /// The error that every call gets.
    pub(super) error: Option<(&'static str, &'static str)>,
    /// The bodies of all calls, with their targets.
    pub(super) calls: Vec<(String, Value)>,
}

impl Stub {
    pub(super) fn new(rules: Vec<Value>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = format!("http://{}", listener.local_addr().unwrap());
        let state = Arc::new(Mutex::new(State {
            rules,
            page: 50,
            ..State::default()
        }));
        let shared = Arc::clone(&state);
        std::thread::spawn(move || {
            for stream in listener.incoming().map_while(Result::ok) {
                answer(stream, &shared);
            }
        });
        Self { address, state }
    }

    pub(super) fn with<T>(&self, change: impl FnOnce(&mut State) -> T) -> T {
        change(&mut self.state.lock().unwrap())
    }

    /// The environment of somebody who is logged in, whose `aws` talks to the stand-in.
    pub(super) fn logged_in(&self, command: &mut Command, aws: &Path, home: &Path) {
        self.logged_out(command, aws, home);
        command
            .env("AWS_ACCESS_KEY_ID", "AKIAEXAMPLE")
            .env("AWS_SECRET_ACCESS_KEY", "secret")
            .env("AWS_REGION", "eu-west-1")
            // Version 1 of the command line knows only this one.
            .env("AWS_DEFAULT_REGION", "eu-west-1");
    }

    /// The same for somebody without credentials.
    pub(super) fn logged_out(&self, command: &mut Command, aws: &Path, home: &Path) {
        let path = std::env::var_os("PATH").unwrap_or_default();
        let own = aws.parent().unwrap().to_path_buf();
        let path = std::iter::once(own).chain(std::env::split_paths(&path));
        for (name, _) in std::env::vars_os() {
            if name.to_string_lossy().starts_with("AWS_") {
                command.env_remove(name);
            }
        }
        command
            .env("PATH", std::env::join_paths(path).unwrap())
            .env("HOME", home)
            .env("AWS_ENDPOINT_URL_ECR", &self.address)
            .env("AWS_EC2_METADATA_DISABLED", "true")
            .env("AWS_MAX_ATTEMPTS", "1")
            .env("NO_PROXY", "127.0.0.1")
            .env("no_proxy", "127.0.0.1");
    }
}

fn answer(mut stream: TcpStream, state: &Mutex<State>) {
    let mut reader = BufReader::new(stream.try_clone().unwrap());
    let (mut target, mut length) = (String::new(), 0);
    for line in reader.by_ref().lines().map_while(Result::ok) {
        if line.is_empty() {
            break;
        }
        let (name, value) = line.split_once(':').unwrap_or((&line, ""));
        match name.to_ascii_lowercase().as_str() {
            "x-amz-target" => target = value.trim().rsplit('.').next().unwrap().to_string(),
            "content-length" => length = value.trim().parse().unwrap(),
            _ => {}
        }
    }
    let mut body = vec![0; length];
    reader.read_exact(&mut body).unwrap();
    let body: Value = serde_json::from_slice(&body).unwrap_or(Value::Null);
    let mut state = state.lock().unwrap();
    state.calls.push((target.clone(), body.clone()));
    let (status, answer) = match (state.error, target.as_str()) {
        (Some((code, message)), _) => (
            "400 Bad Request",
            json!({"__type": code, "message": message}),
        ),
        (None, "DescribePullThroughCacheRules") => ("200 OK", state.describe(&body)),
        (None, "CreatePullThroughCacheRule") => {
            let mut rule = body;
            rule["registryId"] = "123456789012".into();
            rule["createdAt"] = 1_767_261_600.into();
            state.rules.push(rule.clone());
            ("200 OK", rule)
        }
        _ => (
            "400 Bad Request",
            json!({"__type": "UnknownOperationException"}),
        ),
    };
    let text = answer.to_string();
    let head = format!(
        "HTTP/1.1 {status}\r\nContent-Type: application/x-amz-json-1.1\r\nContent-Length: {}\r\nConnection: close\r\n\r\n",
        text.len()
    );
    // A client that is gone has what it wanted.
    drop(stream.write_all(format!("{head}{text}").as_bytes()));
}

impl State {
    fn describe(&self, body: &Value) -> Value {
        let from: usize = body["nextToken"]
            .as_str()
            .map_or(0, |token| token.parse().unwrap());
        let page: Vec<&Value> = self.rules.iter().skip(from).take(self.page).collect();
        let end = from + page.len();
        let mut answer = json!({"pullThroughCacheRules": page});
        if end < self.rules.len() {
            answer["nextToken"] = end.to_string().into();
        }
        answer
    }
}

/// A rule as AWS tells of it.
pub(super) fn rule(prefix: &str, url: &str) -> Value {
    json!({
        "ecrRepositoryPrefix": prefix,
        "upstreamRegistryUrl": url,
        "registryId": "123456789012",
        "createdAt": 1_767_261_600,
        "upstreamRepositoryPrefix": "ROOT",
    })
}
