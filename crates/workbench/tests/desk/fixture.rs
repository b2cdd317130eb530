//! A desk on a temporary folder, and requests to it.

use std::path::{Path, PathBuf};

use axum::{Router, body::Body};
use http::{Method, Request, StatusCode};
use http_body_util::BodyExt;
use loci_llm::ProviderConfig;
use loci_server::Options;
use loci_workbench::{
    Desk, DeskOptions, Places,
    secrets::{self, SecretChoice},
};
use serde_json::Value;
use tower::ServiceExt;

pub struct Fixture {
    folder: tempfile::TempDir,
    pub desk: Desk,
    router: Router,
}

/// What came back.
pub struct Got {
    pub status: StatusCode,
    pub text: String,
}

impl Got {
    pub fn json(&self) -> Value {
        serde_json::from_str(&self.text).unwrap_or_else(|error| panic!("{error}: {}", self.text))
    }

    /// The body, if all went well.
    pub fn ok(&self) -> Value {
        assert!(self.status.is_success(), "{}: {}", self.status, self.text);
        self.json()
    }

    /// The sentence of a refusal with this status.
    pub fn refusal(&self, status: u16) -> String {
        assert_eq!(self.status.as_u16(), status, "{}", self.text);
        match &self.json()["detail"] {
            Value::String(text) => text.clone(),
            other => other["message"].as_str().unwrap_or_else(|| panic!("{other}")).to_owned(),
        }
    }

    /// The `data` of each frame of a stream that is JSON.
    pub fn frames(&self) -> Vec<Value> {
        assert!(self.status.is_success(), "{}: {}", self.status, self.text);
        self.text
            .lines()
            .filter_map(|line| line.strip_prefix("data: "))
            .filter_map(|data| serde_json::from_str(data).ok())
            .collect()
    }
}

impl Fixture {
    pub async fn new() -> Self {
        Self::with(Vec::new()).await
    }

    /// With providers of the environment.
    pub async fn with(environment: Vec<ProviderConfig>) -> Self {
        Self::begin(environment, Places::default()).await
    }

    /// That looks for runtimes at these places when asked.
    pub async fn looking_at(runtimes: Places) -> Self {
        Self::begin(Vec::new(), runtimes).await
    }

    async fn begin(environment: Vec<ProviderConfig>, runtimes: Places) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let desk = open(folder.path(), environment, runtimes).await;
        Self { router: loci_workbench::router(desk.clone()), folder, desk }
    }

    /// With other bounds for servers elsewhere.
    pub async fn limited(limits: loci_workbench::Limits) -> Self {
        let Self { folder, desk, router: _ } = Self::new().await;
        let secrets = secrets::open(SecretChoice::Memory).await.unwrap();
        let options = DeskOptions { transport: "window", limits, ..DeskOptions::default() };
        let desk = Desk::new(desk.app().clone(), secrets, options);
        Self { router: loci_workbench::router(desk.clone()), folder, desk }
    }

    /// As after the program was killed and started again.
    pub async fn restarted(self) -> Self {
        let Self { folder, desk, router } = self;
        desk.pause_local_server().await;
        desk.app().shutdown().await;
        drop((desk, router));
        // What was begun beside the requests holds the data for a moment longer.
        let database = folder.path().join("data/loci.db");
        let closing = async {
            while loci_store::claim(&database).is_err() {
                tokio::task::yield_now().await;
            }
        };
        tokio::time::timeout(std::time::Duration::from_secs(20), closing).await.unwrap();
        let desk = open(folder.path(), Vec::new(), Places::default()).await;
        desk.begin().await;
        Self { router: loci_workbench::router(desk.clone()), folder, desk }
    }

    /// A folder beside the data with one file.
    pub fn notes(&self) -> PathBuf {
        let notes = self.folder.path().join("notes");
        std::fs::create_dir_all(&notes).unwrap();
        std::fs::write(notes.join("plan.md"), "The code is HERON-42.\n").unwrap();
        notes.canonicalize().unwrap()
    }

    /// Serves this desk's agents over TCP, as `loci serve` would without a token. The address.
    pub async fn serve(&self) -> String {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let router = loci_workbench::served(self.desk.clone());
        tokio::spawn(axum::serve(listener, router).into_future());
        format!("http://{address}")
    }

    pub async fn send(&self, request: Request<Body>) -> Got {
        let response = self.router.clone().oneshot(request).await.unwrap();
        let status = response.status();
        let bytes = response.into_body().collect().await.unwrap().to_bytes();
        Got { status, text: String::from_utf8_lossy(&bytes).into_owned() }
    }

    pub async fn get(&self, path: &str) -> Got {
        self.send(Request::get(path).body(Body::empty()).unwrap()).await
    }

    pub async fn call(&self, method: Method, path: &str, body: Value) -> Got {
        let request = Request::builder()
            .method(method)
            .uri(path)
            .header("content-type", "application/json")
            .body(Body::from(body.to_string()))
            .unwrap();
        self.send(request).await
    }

    pub async fn post(&self, path: &str, body: Value) -> Got {
        self.call(Method::POST, path, body).await
    }
}

async fn open(folder: &Path, environment: Vec<ProviderConfig>, runtimes: Places) -> Desk {
    let app = loci_server::open(Options::new(folder.join("data")), environment).await.unwrap();
    let secrets = secrets::open(SecretChoice::Memory).await.unwrap();
    let options = DeskOptions { transport: "window", runtimes, ..DeskOptions::default() };
    let desk = Desk::new(app, secrets, options);
    desk.load_providers().await.unwrap();
    desk
}
