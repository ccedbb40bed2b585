//! The whole command line as one command with its subcommands, for completions and man pages. Arguments are
//! read without it: a command counts as the first word only.

use clap::{Command, CommandFactory};

use super::{Convert, Explain, Images, Init, Prove, Rewrite, Rules};

/// The program with its commands, in the order of its help. `generate` is for packages, and not told.
pub(in super::super) fn whole() -> Command {
    let commands = [
        ("convert", Convert::command()),
        ("images", Images::command()),
        ("explain", Explain::command()),
        ("rules", Rules::command()),
        ("prove", Prove::command()),
        ("init", Init::command()),
    ];
    let named = commands.map(|(word, command)| {
        // Its name says the whole way to it, since it is read on its own.
        let page = format!("ecr-rewrite-{word}");
        command.name(word).display_name(page)
    });
    let whole = Rewrite::command().subcommands(named);
    told(whole.disable_help_subcommand(true))
}

/// The command with everything told that a short help leaves out: pages have the room.
fn told(command: Command) -> Command {
    let command = command.mut_args(|argument| argument.hide_short_help(false));
    command.mut_subcommands(told)
}
