//! `completions` and `man`: made from the arguments themselves.

use std::io::{self, Write};

use super::Exit;
use super::arguments::{CompletionsArguments, command};
use super::error::Error;
use super::output::Console;

pub fn completions(arguments: &CompletionsArguments, console: &Console) -> Result<Exit, Error> {
    // The generator panics where its writer fails, and a pipe may close at any time: into memory first.
    let mut text = Vec::new();
    clap_complete::generate(arguments.shell, &mut command(), "s3log-lint", &mut text);
    console.write(|out| out.write_all(&text))?;
    Ok(Exit::Clean)
}

pub fn manual(console: &Console) -> Result<Exit, Error> {
    let mut text = Vec::new();
    write_manual(&mut text).map_err(Error::Output)?;
    console.write(|out| out.write_all(&text))?;
    Ok(Exit::Clean)
}

/// One page: the program, then each command with its options.
fn write_manual(text: &mut Vec<u8>) -> io::Result<()> {
    let mut root = command();
    root.build();
    clap_mangen::Man::new(root.clone()).render(text)?;
    for subcommand in root
        .get_subcommands()
        .filter(|subcommand| subcommand.get_name() != "help")
    {
        writeln!(text, ".SH \"{} {}\"", root.get_name(), subcommand.get_name())?;
        let page = clap_mangen::Man::new(subcommand.clone());
        page.render_description_section(text)?;
        page.render_options_section(text)?;
    }
    Ok(())
}
