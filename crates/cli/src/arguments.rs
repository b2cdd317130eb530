//! What can be said on the command line.

use std::{net::IpAddr, path::PathBuf};

use anyhow::Context;
use clap::{Args, Parser, Subcommand, ValueEnum};

/// Agents that remember, on this machine.
#[derive(Debug, Parser)]
#[command(
    name = "loci",
    version,
    about,
    arg_required_else_help = true,
    args_conflicts_with_subcommands = true
)]
pub struct Arguments {
    #[command(subcommand)]
    pub command: Option<Command>,
    #[command(flatten)]
    pub browse: Browse,
}

/// The workbench without a command: in a browser, for as long as the program runs.
#[derive(Debug, Args)]
pub struct Browse {
    /// Open the workbench in the browser: serves it on a free port of this machine and lets that browser in
    #[arg(long)]
    pub browser: bool,
    #[command(flatten)]
    pub data: Data,
    /// Where keys entered in the workbench are kept
    #[arg(long, value_enum, default_value_t = Secrets::Automatic, env = "LOCI_SECRETS")]
    pub secrets: Secrets,
}

impl Browse {
    /// What `loci serve` would be told for it.
    pub fn serve(self) -> Serve {
        Serve {
            host: IpAddr::from([127, 0, 0, 1]),
            port: 0,
            data: self.data,
            token: Some(loci_workbench::listen::new_token()),
            no_token: false,
            ui: false,
            browser: true,
            hosts: Vec::new(),
            origins: Vec::new(),
            allow_private_callbacks: false,
            secrets: self.secrets,
        }
    }
}

#[derive(Debug, Subcommand)]
pub enum Command {
    /// Serve the agents over HTTP, and the workbench for a browser
    Serve(Serve),
    /// Check the data without changing it; ends with 1 if something is wrong
    Doctor(Data),
    /// Copy the data into a new file, also while a server runs
    Backup(Backup),
    /// Print the machine-readable description of the API
    Openapi,
    /// Print the sentences that the window translates, by their codes
    #[command(hide = true)]
    Sentences,
}

#[derive(Debug, Args)]
pub struct Data {
    /// The folder of the data
    #[arg(long = "data", value_name = "DIR", env = "LOCI_DATA_DIR")]
    dir: Option<PathBuf>,
}

impl Data {
    pub fn dir(&self) -> anyhow::Result<PathBuf> {
        self.dir
            .clone()
            .or_else(loci_workbench::default_data_dir)
            .context("there is no home folder to keep data in; name a folder with --data")
    }
}

#[derive(Debug, Args)]
pub struct Serve {
    /// The address to listen on
    #[arg(long, default_value = "127.0.0.1")]
    pub host: IpAddr,
    /// The port; 0 takes a free one
    #[arg(long, default_value_t = 8283)]
    pub port: u16,
    #[command(flatten)]
    pub data: Data,
    /// What callers must present; left out, one is made and kept in the data folder
    #[arg(long, env = "LOCI_TOKEN", hide_env_values = true)]
    pub token: Option<String>,
    /// Let every program of this machine in
    #[arg(long, conflicts_with = "token")]
    pub no_token: bool,
    /// Print a link that opens the workbench in a browser
    #[arg(long)]
    pub ui: bool,
    /// Open the workbench in the browser with a link that works once
    #[arg(long)]
    pub browser: bool,
    /// A further name this server may be called by, without port
    #[arg(long = "allow-host", value_name = "NAME")]
    pub hosts: Vec<String>,
    /// A web page that may call this server, for example https://panel.example
    #[arg(long = "allow-origin", value_name = "ORIGIN")]
    pub origins: Vec<String>,
    /// Let callbacks and images come from and go to this machine and private networks
    #[arg(long)]
    pub allow_private_callbacks: bool,
    /// Where keys entered in the workbench are kept
    #[arg(long, value_enum, default_value_t = Secrets::Environment, env = "LOCI_SECRETS")]
    pub secrets: Secrets,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
pub enum Secrets {
    /// Read LOCI_SECRET_… variables; keep what is entered in plain text in the data folder, readable by its owner only
    Environment,
    /// The keyring of this computer, or until the program stops where there is none
    Automatic,
    /// The keyring of this computer
    Keyring,
    /// Only until the server stops
    Memory,
    /// In plain text in the data folder, readable by its owner only
    File,
}

#[derive(Debug, Args)]
pub struct Backup {
    /// The file to write; it must not exist
    pub file: PathBuf,
    #[command(flatten)]
    pub data: Data,
}
