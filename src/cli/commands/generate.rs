//! `generate`: what a package installs beside the program, made from the command line and the schemas that
//! the program has.

use std::io::{self, Write};

use clap_complete::generate as complete;
use clap_mangen::Man;

use super::super::args::{Generate, Schema, What, whole};
use super::super::{Error, Exit};
use super::rewrite::unless_closed;
use crate::words::closest;

pub(in super::super) fn generate(args: &Generate) -> Result<Exit, Error> {
    let bytes = match &args.what {
        What::Man { command } => man(command.as_deref())?,
        What::Completions { shell } => {
            let mut script = Vec::new();
            complete(*shell, &mut whole(), "ecr-rewrite", &mut script);
            script
        }
        What::Schema { of } => schema(*of).as_bytes().to_vec(),
    };
    let mut stdout = io::stdout().lock();
    let written = stdout.write_all(&bytes).and_then(|()| stdout.flush());
    unless_closed(written.map_err(Error::Output))?;
    Ok(Exit::Done)
}

/// The page of a command, or of the program.
fn man(command: Option<&str>) -> Result<Vec<u8>, Error> {
    let mut whole = whole();
    whole.build();
    let page = match command {
        None => whole,
        Some(word) => match whole.find_subcommand(word) {
            Some(command) => command.clone(),
            None => return Err(Error::Message(no_command(&whole, word))),
        },
    };
    let mut bytes = Vec::new();
    Man::new(page).render(&mut bytes).map_err(Error::Output)?;
    Ok(bytes)
}

fn no_command(whole: &clap::Command, word: &str) -> String {
    let known: Vec<&str> = whole
        .get_subcommands()
        .map(clap::Command::get_name)
        .collect();
    match closest(word, known.iter().copied()) {
        Some(close) => format!("there is no command `{word}`; did you mean `{close}`?"),
        None => format!(
            "there is no command `{word}`; the commands are {}",
            known.join(", ")
        ),
    }
}

fn schema(of: Schema) -> &'static str {
    match of {
        Schema::Config => include_str!("../../../docs/config.schema.json"),
        Schema::Report => include_str!("../../../docs/report.schema.json"),
        Schema::Images => include_str!("../../../docs/images.schema.json"),
        Schema::Prove => include_str!("../../../docs/prove.schema.json"),
        Schema::Rules => include_str!("../../../docs/rules.schema.json"),
    }
}
