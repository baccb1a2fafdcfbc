//! `hearken user`: an entry for the file of those who may use the web interface.

use std::io::{self, BufRead as _, IsTerminal as _};
use std::process::ExitCode;

use super::fail;
use crate::access::Role;
use crate::octets::hex;
use crate::web::{digest, hashed};

/// Fewest letters of a password.
const SHORTEST: usize = 12;

/// Prints an entry for the users file; the password is read from standard input
#[derive(clap::Args)]
#[command(after_help = "Example: hearken user asha --role agent --agent asha >> config/users.toml")]
pub(super) struct Args {
    /// The user's name
    name: String,
    /// What the user may do: viewer, agent, supervisor, ops or engineer; may be given several times
    #[arg(long = "role", value_name = "ROLE", value_parser = role, default_value = "viewer")]
    roles: Vec<Role>,
    /// The agent that the user is
    #[arg(long, value_name = "AGENT")]
    agent: Option<String>,
    /// By what value of its claim the provider of [web.oidc] means this user; no password is asked for then
    #[arg(long, value_name = "VALUE")]
    oidc: Option<String>,
    /// Makes a token, which is printed once on standard error, in place of a password
    #[arg(long)]
    token: bool,
}

pub(super) fn run(args: &Args) -> ExitCode {
    match entry(args) {
        Ok(entry) => {
            print!("{entry}");
            ExitCode::SUCCESS
        }
        Err(error) => fail(error),
    }
}

fn role(word: &str) -> Result<Role, String> {
    let found = Role::WORDS.into_iter().find(|(known, _)| *known == word);
    let words = || Role::WORDS.map(|(known, _)| known).join(", ");
    found.map(|(_, role)| role).ok_or_else(|| format!("only {}", words()))
}

/// The entry as TOML.
fn entry(args: &Args) -> Result<String, String> {
    let secret = match (args.token, &args.oidc) {
        (true, _) => token()?,
        (false, Some(_)) => String::new(),
        (false, None) => password()?,
    };
    Ok(written(args, &secret))
}

fn written(args: &Args, secret: &str) -> String {
    let quoted = |text: &str| serde_json::Value::from(text).to_string();
    let roles: Vec<_> = args.roles.iter().map(|role| quoted(role.word())).collect();
    let others = [("agent", &args.agent), ("oidc", &args.oidc)].into_iter();
    let others = others.filter_map(|(key, value)| Some(format!("{key} = {}\n", quoted(value.as_ref()?))));
    let break_after = if secret.is_empty() { "" } else { "\n" };
    format!(
        "\n[user.{}]\n{secret}{break_after}roles = [{}]\n{}",
        quoted(&args.name),
        roles.join(", "),
        others.collect::<String>()
    )
}

fn password() -> Result<String, String> {
    if io::stdin().is_terminal() {
        eprintln!("The password is shown as it is typed. At least {SHORTEST} letters:");
    }
    let mut line = String::new();
    io::stdin()
        .lock()
        .read_line(&mut line)
        .map_err(|error| format!("the password cannot be read: {error}"))?;
    let password = line.trim_end_matches(['\r', '\n']);
    if password.chars().count() < SHORTEST {
        return Err(format!("a password has at least {SHORTEST} letters"));
    }
    let mut salt = [0; 16];
    getrandom::fill(&mut salt).map_err(|error| format!("the system gives no randomness: {error}"))?;
    Ok(format!("password = \"{}\"", hashed(password, &salt)))
}

fn token() -> Result<String, String> {
    let token = secret()?;
    let digest = hex(&digest(&token));
    eprintln!("The token, which is kept nowhere: {token}");
    Ok(format!("tokens = [\"sha256:{digest}\"]"))
}

/// 32 random bytes as hexadecimal digits.
pub(super) fn secret() -> Result<String, String> {
    let mut bytes = [0; 32];
    getrandom::fill(&mut bytes).map_err(|error| format!("the system gives no randomness: {error}"))?;
    Ok(hex(&bytes))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;
    use crate::config;

    #[test]
    fn what_is_printed_is_an_entry_that_the_configuration_takes() {
        let args = Args {
            name: "asha".into(),
            roles: vec![Role::Agent, Role::Supervisor],
            agent: Some("asha".into()),
            oidc: Some("asha@example.nhs.uk".into()),
            token: false,
        };
        let dir = tempfile::tempdir().unwrap();
        let file = dir.path().join("users.toml");
        let kept = format!("password = \"{}\"", hashed("correct horse battery", &[1; 16]));
        for (secret, has_password) in [(kept, true), (String::new(), false)] {
            std::fs::write(&file, written(&args, &secret)).unwrap();
            let users = config::users(&file).unwrap();
            assert_eq!((users[0].name.as_str(), &users[0].roles), ("asha", &args.roles));
            assert_eq!((&users[0].agent, &users[0].oidc), (&args.agent, &args.oidc));
            assert_eq!(users[0].password.is_some(), has_password);
        }
    }
}
