//! The fake model as a program: `fake-model [--port N]` prints its address as one line and serves until it is
//! ended. Scripted over HTTP: `POST /control/script`, `/control/default`, `/control/release`, `/control/reset`,
//! `GET /control/requests`, `GET /control/embeddings` (and `POST` to let the next ones fail).

use std::io::Write;

#[tokio::main(flavor = "current_thread")]
async fn main() -> std::io::Result<()> {
    let args: Vec<String> = std::env::args().collect();
    let port = args.iter().position(|arg| arg == "--port").and_then(|at| args.get(at + 1)?.parse().ok());
    let model = loci_testkit::model::FakeModel::start_on(port.unwrap_or(0)).await?;
    let mut stdout = std::io::stdout();
    writeln!(stdout, "{}", model.url())?;
    stdout.flush()?;
    model.wait().await;
    Ok(())
}
