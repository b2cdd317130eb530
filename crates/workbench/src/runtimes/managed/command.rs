//! Which program is started, how, and whether it can be.

use std::{
    io::Read,
    path::{Path, PathBuf},
    process::Stdio,
};

use loci_api::error::ApiError;
use secrecy::{ExposeSecret, SecretString};
use tokio::process::Command;

use super::Launch;
use crate::sentences::Machine;

/// Tokens of the largest context anybody asks for.
const MOST_CONTEXT: u32 = 16 << 20;

fn refuse(sentence: Machine) -> ApiError {
    ApiError::validation(sentence)
}

/// The program: the chosen one, else `llama-server` on PATH.
pub(super) fn program(chosen: Option<&Path>) -> Result<PathBuf, ApiError> {
    match chosen {
        Some(path) => {
            if !path.is_absolute() {
                return Err(refuse(Machine::LlamaProgramPath));
            }
            which::which(path)
                .map_err(|_| refuse(Machine::LlamaProgramNone { path: path.display().to_string() }))
        }
        None => which::which("llama-server").map_err(|_| ApiError::conflict(Machine::LlamaNotFound)),
    }
}

/// Whether what was chosen can be run.
pub(super) async fn check(launch: &Launch) -> Result<(), ApiError> {
    if launch.program.is_some() {
        program(launch.program.as_deref())?;
    }
    if let Some(tokens) = launch.context_length
        && !(256..=MOST_CONTEXT).contains(&tokens)
    {
        return Err(refuse(Machine::LlamaContext { most: MOST_CONTEXT }));
    }
    if launch.gpu_layers.is_some_and(|layers| layers > 10_000) {
        return Err(refuse(Machine::LlamaLayers));
    }
    match launch.model.clone() {
        None => Ok(()),
        Some(path) => tokio::task::spawn_blocking(move || is_model(&path))
            .await
            .map_err(|_| ApiError::internal())?
            .map_err(refuse),
    }
}

/// Whether a file is a GGUF model: by its first four bytes.
pub(super) fn is_model(path: &Path) -> Result<(), Machine> {
    if !path.is_absolute() {
        return Err(Machine::LlamaModelPath);
    }
    let mut start = [0; 4];
    let read = std::fs::File::open(path).and_then(|file| {
        if !file.metadata()?.is_file() {
            return Err(std::io::Error::other("it is not a file"));
        }
        file.take(4).read_exact(&mut start)
    });
    match read {
        Ok(()) if &start == b"GGUF" => Ok(()),
        Ok(()) => Err(Machine::LlamaModelNone { path: path.display().to_string() }),
        Err(error) if error.kind() == std::io::ErrorKind::UnexpectedEof => {
            Err(Machine::LlamaModelNone { path: path.display().to_string() })
        }
        Err(error) => {
            let path = path.display().to_string();
            Err(Machine::LlamaModelUnreadable { path, said: error.to_string() })
        }
    }
}

/// The model's name in its handle: the file's, without its ending.
pub(super) fn alias(model: &Path) -> String {
    let stem = model.file_stem().map(|stem| stem.to_string_lossy().into_owned()).unwrap_or_default();
    stem.chars().map(|c| if c.is_ascii_alphanumeric() || "-_.".contains(c) { c } else { '-' }).collect()
}

/// Variables a model server may need; keys and tokens of this desk are not among them.
fn is_passed_on(name: &str) -> bool {
    const NAMES: [&str; 14] = [
        "PATH",
        "HOME",
        "USER",
        "LANG",
        "TMPDIR",
        "TEMP",
        "TMP",
        "LD_LIBRARY_PATH",
        "DYLD_LIBRARY_PATH",
        "SYSTEMROOT",
        "LOCALAPPDATA",
        "APPDATA",
        "USERPROFILE",
        "PATHEXT",
    ];
    const FAMILIES: [&str; 8] = ["GGML_", "CUDA_", "HIP_", "ROCR_", "HSA_", "VK_", "XDG_", "OMP_"];
    let name = name.to_ascii_uppercase();
    NAMES.contains(&name.as_str()) || FAMILIES.iter().any(|family| name.starts_with(family))
}

/// The command line. The key goes by the environment, where other users cannot read it.
pub(super) fn command(
    program: &Path,
    launch: &Launch,
    model: &Path,
    port: u16,
    key: &SecretString,
) -> Command {
    let mut command = Command::new(program);
    command
        .env_clear()
        .envs(std::env::vars_os().filter(|(name, _)| name.to_str().is_some_and(is_passed_on)))
        .env("LLAMA_API_KEY", key.expose_secret())
        .arg("--model")
        .arg(model)
        .args(["--host", "127.0.0.1", "--port", &port.to_string(), "--alias", &alias(model)])
        // One request at a time has the whole context; tool calls need the model's own template.
        .args(["--parallel", "1", "--jinja", "--metrics"])
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .kill_on_drop(true);
    if let Some(tokens) = launch.context_length {
        command.args(["--ctx-size", &tokens.to_string()]);
    }
    if let Some(layers) = launch.gpu_layers {
        command.args(["--n-gpu-layers", &layers.to_string()]);
    }
    #[cfg(unix)]
    command.process_group(0);
    command
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests")]
    use super::*;

    #[test]
    fn only_a_model_file_is_one() {
        let folder = tempfile::tempdir().unwrap();
        let file = |name: &str, bytes: &[u8]| {
            let path = folder.path().join(name);
            std::fs::write(&path, bytes).unwrap();
            path
        };
        assert!(is_model(&file("a.gguf", b"GGUF\x03\0\0\0")).is_ok());
        for (path, part) in [
            (file("b.gguf", b"PK\x03\x04"), "not a GGUF"),
            (file("c.gguf", b"GG"), "not a GGUF"),
            (folder.path().join("none.gguf"), "cannot be read"),
            (folder.path().to_owned(), "cannot be read"),
            (PathBuf::from("a.gguf"), "whole path"),
        ] {
            let problem = loci_api::said::Said::from(is_model(&path).unwrap_err()).message;
            assert!(problem.contains(part), "{}: {problem}", path.display());
        }
    }

    #[test]
    fn a_handle_is_made_of_the_file_s_name() {
        assert_eq!(alias(Path::new("/m/Qwen3 8B (Q4).gguf")), "Qwen3-8B--Q4-");
        assert_eq!(alias(Path::new("/m/llama-3.2-3b.Q4_K_M.gguf")), "llama-3.2-3b.Q4_K_M");
    }

    #[test]
    fn no_key_of_this_desk_is_passed_on() {
        for name in ["OPENAI_API_KEY", "LOCI_TOKEN", "LOCI_SECRET_X", "AWS_SECRET_ACCESS_KEY", "HF_TOKEN"] {
            assert!(!is_passed_on(name), "{name}");
        }
        assert!(is_passed_on("Path") && is_passed_on("CUDA_VISIBLE_DEVICES"));
    }
}
