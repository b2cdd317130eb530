//! About this machine: where secrets are kept, the local server, providers and runtimes, backups, budgets, folders and
//! a person's own tools.

use loci_api::{said::Said, sentences};

sentences! {
    pub(crate) enum Machine {
        // Where secrets are kept.
        KeyringUnusable { why: Said } => "The keyring of this computer cannot be used: {why}",
        KeyringNone => "none is running in this session",
        KeyringSilent => "it does not answer",
        KeyringLocked => "it is locked, and nobody unlocked it",
        KeyringOther { said: String } => "{said}",
        KeyringWaits => "The keyring of this computer waits to be unlocked",
        SecretsFile { path: String, said: String } => "The secrets file {path} cannot be used: {said}",
        SecretsFixed => "Where keys are kept was chosen when Loci was started, and is changed there",
        SecretsUnreadable { path: String } =>
            "The secrets file {path} is not readable as JSON. Move it away and enter the keys again.",
        SecretsForNow => "Keys are kept only while Loci runs, as chosen.",
        SecretsRefused { why: Said } => "{why}.",
        SecretNotKept { why: Said } => "The key cannot be kept. {why}.",

        // The local server.
        PortTaken { port: String } => "Port {port} is taken by another program. Choose another one.",
        PortNotAllowed { port: String } =>
            "Port {port} may not be used without further rights. Choose one above 1023.",
        PortOther { port: String, said: String } => "Port {port} cannot be listened on: {said}.",
        PortNone => "A port is a number from 1 to 65535.",
        ServerNotStarted { said: String } => "The local server cannot start: {said}.",
        ServerFixed =>
            "This is `loci serve`: its address and token were set where it was started, and are changed there.",
        TokenProblem { said: String } => "The token cannot be used: {said}.",

        // Providers.
        ProviderFromEnvironment { name: String } =>
            "The provider {name} comes from the environment Loci was started with. Change it there, or add one of the same name, which takes its place.",
        ProviderFound { name: String } =>
            "The provider {name} was found running on this machine. Add one of the same name to set it up differently.",
        ProviderUnknown { id: String } => "There is no provider {id}.",
        ProviderNoModels => "The server answers, but offers no chat models.",
        ProviderOneModel => "The server answers and offers 1 model.",
        ProviderModels { number: usize } => "The server answers and offers {number} models.",

        // Runtimes on this machine.
        RuntimeSilent { port: String, title: String } =>
            "Something listens on port {port}, but it does not answer like {title}.",
        RuntimeNeedsKey { port: String, title: String } =>
            "A server on port {port} wants a key. If it is {title}, add it as a provider with its key.",
        RuntimeStatus { port: String, status: String, title: String } =>
            "Something on port {port} answered with status {status}; it is not {title}.",
        RuntimeOther { title: String } => "The server on that port is not {title}.",
        RuntimeNoModelsOllama => "Ollama runs, but has no models yet. Fetch one with `ollama pull`.",
        RuntimeNoModelsLmstudio => "LM Studio's server runs, but offers no models yet.",
        RuntimeNoModelsLlamaServer => "llama-server runs, but does not say its model.",

        // llama-server, run by Loci.
        LlamaProgramPath => "program: give the whole path of llama-server.",
        LlamaProgramNone { path: String } => "program: {path} is not a program that can be run.",
        LlamaNotFound =>
            "llama-server was not found on this machine. Install llama.cpp, or choose where llama-server is.",
        LlamaContext { most: u32 } => "context_length: must be from 256 to {most} tokens.",
        LlamaLayers => "gpu_layers: must be at most 10000.",
        LlamaModelPath => "model: give the whole path of the model file.",
        LlamaModelNone { path: String } => "model: {path} is not a GGUF model file.",
        LlamaModelUnreadable { path: String, said: String } => "model: {path} cannot be read: {said}.",
        LlamaNoModel => "Choose a model file (GGUF) first.",
        LlamaGivenUp { times: u32 } => "It ended by itself {times} times in a row. Its output says more.",
        LlamaStartsAgain { seconds: f64 } => "It ended by itself and is started again in {seconds} s.",
        LlamaNoPort { said: String } => "No free port was found: {said}.",
        LlamaNotStarted { path: String, said: String } => "{path} could not be started: {said}.",
        LlamaNotAsked { said: String } => "It cannot be asked whether it is ready: {said}.",
        LlamaEndedEarly { status: String } => "It ended before it was ready ({status}). Its output says why.",
        LlamaNotReady { minutes: u64 } => "It was not ready after {minutes} minutes.",

        // Backups.
        BackupNoFolder { path: String, said: String } => "The folder {path} cannot be made: {said}.",
        BackupWholePath => "Name the file for the copy with its whole path.",
        BackupThere { path: String } => "{path} is there already, and is not written over. Choose another name.",
        BackupFolderMissing { path: String } => "The folder of {path} does not exist.",
        BackupFailed { said: String } => "The data cannot be copied: {said}.",

        // Budgets and settings.
        BudgetUsd { most: f64 } => "limit_usd: must be from 0 to {most} dollars.",
        BudgetTokens { most: i64 } => "limit_tokens: must be from 0 to {most}.",
        BudgetWarn => "warn_percent: must be from 1 to 100.",
        BudgetEmpty => "A budget needs limit_usd or limit_tokens.",
        BudgetUnknown { id: String } => "There is no budget {id}.",
        ExpireHours { least: f64, most: f64 } => "expire_unattended_hours is null or {least} to {most}.",

        // Folders an agent may use.
        FolderNone => "Name a folder.",
        FolderWholePath { path: String } =>
            "{path} is not a whole path. Write it from the root, for example /home/you/notes.",
        FolderMissing { path: String } => "There is no folder {path}.",
        FolderUnreadable { path: String, said: String } => "{path} cannot be opened: {said}.",
        FolderNotOne { path: String } => "{path} is not a folder.",
        FolderWholeDisk => "The whole disk cannot be opened to an agent. Choose a folder.",
        FolderName { path: String } =>
            "The name of {path} is not valid Unicode. Choose a folder with a plain name.",
        FolderTwice { path: String } => "{path} is named twice.",
        FolderTooMany { most: usize } => "At most {most} folders can be opened.",
        OfferedWithFolder => "It is offered once a folder is opened to the agent.",

        // A person's own tools.
        OwnToolLarge { most: usize } => "The source is larger than {most} bytes.",
        OwnToolSeconds { most: u32 } => "timeout_seconds is 1 to {most}.",
        OwnToolName { name: String } => "{name} is a tool of Loci's own. Give the function another name.",
        OwnToolUnknown => "There is no such client tool.",
    }
}
