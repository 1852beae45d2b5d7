//! What is made of the command line's definition: completions that complete, pages that can be read.

use std::process::Command;

use crate::support::guide;
use crate::support::shell;

/// What bash offers after these words.
fn offered(words: &str) -> Vec<String> {
    let dir = tempfile::tempdir().expect("a temporary directory");
    let script = format!(
        "postrider completions bash > completions; bash -n completions; source completions\n\
         COMP_WORDS=({words}); COMP_CWORD=$((${{#COMP_WORDS[@]}} - 1)); COMP_LINE=\"{words}\"\n\
         COMP_POINT=${{#COMP_LINE}}; cur=${{COMP_WORDS[COMP_CWORD]}}; prev=${{COMP_WORDS[COMP_CWORD - 1]}}\n\
         _postrider postrider \"$cur\" \"$prev\"; printf '%s\\n' \"${{COMPREPLY[@]}}\""
    );
    let script = script.replace("set -e", "");
    let ended = shell::run(dir.path(), dir.path(), &format!("set +eu\n{script}"));
    ended.out.lines().map(str::to_owned).collect()
}

#[test]
fn bash_completes_commands_and_flags() {
    let commands = offered("postrider end");
    assert_eq!(commands, ["endpoints"]);
    let below = offered("postrider endpoints r");
    assert_eq!(below, ["rotate-secret"]);
    let flags = offered("postrider endpoints list --he");
    assert!(flags.contains(&"--health".to_owned()), "{flags:?}");
    assert_eq!(offered("postrider completions z"), ["zsh"]);
}

/// What fish offers after these words, without what it says of each.
fn offered_by_fish(words: &str) -> Vec<String> {
    let dir = tempfile::tempdir().expect("a temporary directory");
    // fish wants a home of its own, even without a configuration.
    let script = format!(
        "export HOME=$PWD; postrider completions fish > completions; fish --no-execute completions\n\
         fish --no-config --command 'source completions; complete --do-complete \"{words}\"' | cut -f 1"
    );
    shell::run(dir.path(), dir.path(), &script).out.lines().map(str::to_owned).collect()
}

#[test]
fn fish_completes_commands_words_and_flags() {
    for (words, offered) in [
        ("postrider ser", &["serve"][..]),
        ("postrider endpoints r", &["rotate-secret"]),
        ("postrider endpoints list --hea", &["--health"]),
        ("postrider completions ", &["bash", "fish", "zsh"]),
        ("postrider help en", &["endpoints"]),
        ("postrider help endpoints r", &["rotate-secret"]),
    ] {
        assert_eq!(offered_by_fish(words), offered, "{words}");
    }
}

/// What stands on the line of a zsh, at a terminal of its own, once Tab was pressed behind these words.
fn completed_by_zsh(words: &str) -> String {
    let dir = tempfile::tempdir().expect("a temporary directory");
    let zsh = format!(
        r#"
        zmodload zsh/zpty
        zpty -b terminal zsh -f -i
        zpty -w terminal 'PS1=; fpath=($PWD $fpath); autoload -U compinit; compinit -u -D'
        zpty -w terminal 'show() {{ print -r -- "<$BUFFER>"; exit }}; zle -N show; bindkey "^X" show; print rea""dy'
        zpty -r -m terminal begun '*ready*'
        zpty -w -n terminal '{words}'$'\t\x18'
        zpty -r -m terminal shown '*<*>*'
        print -r -- "${{${{shown##*<}}%%>*}}"
        "#
    );
    std::fs::write(dir.path().join("terminal.zsh"), zsh).expect("a script");
    let script =
        "export HOME=$PWD; postrider completions zsh > _postrider; zsh -n _postrider; zsh -f terminal.zsh";
    shell::run(dir.path(), dir.path(), script).out.trim_end_matches('\n').to_owned()
}

#[test]
fn zsh_completes_commands_words_and_flags() {
    for (words, completed) in [
        ("postrider ser", "postrider serve "),
        ("postrider endpoints r", "postrider endpoints rotate-secret "),
        ("postrider endpoints list --hea", "postrider endpoints list --health="),
        ("postrider completions z", "postrider completions zsh "),
        ("postrider help en", "postrider help endpoints "),
        ("postrider help endpoints r", "postrider help endpoints rotate-secret "),
    ] {
        assert_eq!(completed_by_zsh(words), completed, "{words}");
    }
}

#[test]
fn every_manual_page_can_be_read() {
    let dir = tempfile::tempdir().expect("a temporary directory");
    shell::run(dir.path(), dir.path(), "postrider man --dir pages");
    let mut count = 0;
    for page in std::fs::read_dir(dir.path().join("pages")).expect("pages") {
        let path = page.expect("a page").path();
        let text =
            guide::output(Command::new("man").args(["--warnings", "-l"]).arg(&path).env("MANWIDTH", "100"));
        assert!(text.contains("NAME") && text.contains("SYNOPSIS"), "{}: {text}", path.display());
        let complaints = Command::new("groff")
            .args(["-Kutf8", "-man", "-Tutf8", "-ww", "-z"])
            .arg(&path)
            .output()
            .expect("groff");
        assert_eq!(String::from_utf8_lossy(&complaints.stderr), "", "{}", path.display());
        count += 1;
    }
    assert!(count > 50, "{count}");
    let one = shell::run(dir.path(), dir.path(), "postrider man endpoints create").out;
    assert!(one.contains("postrider endpoints create https://example.com/hook"), "with its examples: {one}");
    let error = shell::bash(dir.path(), dir.path(), "postrider man fly").output().expect("bash");
    assert_eq!(error.status.code(), Some(1));
}
