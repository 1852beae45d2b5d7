#!/bin/sh
# Installs Postrider on this machine, or upgrades it. Run it from a clone or from an unpacked release.
#
#   sudo ./install.sh                  builds the program, or takes `postrider` beside this file, and starts it
#   sudo ./install.sh --binary FILE    takes this program
#   sudo ./install.sh --domain NAME    also writes a site for Caddy or nginx, whichever is there
#   sudo ./install.sh --uninstall      removes it; data and options stay
#   sudo ./install.sh --uninstall --purge    removes them as well, after a question
#
#   --dry-run      says what would be done, and changes nothing
#   --root DIR     works on the system below DIR: for images, and for tests. Nothing is started there
#
# Run again it upgrades: backup, swap, restart, and a look whether the new one is ready. If it is not, the old program and
# the database as it was come back, unless the new one has begun to accept events: then it stays, and you are told how to
# go back. It may be interrupted anywhere: the next run first ends what that one began.
# Without systemd it puts the files in place, says how to run the server, and tries a new version before it leaves it.
set -eu

here=$(cd "$(dirname "$0")" && pwd)
templates=$here/templates/install
user=postrider
# How long a new version may take to bring a large file up to date, deliveries to go out as they did before, and a server to
# stop, which takes it ten at most, in seconds.
patience=900
patience_sending=${POSTRIDER_TEST_PATIENCE:-90}
patience_stopping=${POSTRIDER_TEST_PATIENCE:-60}

root=
given=
domain=
dry=
is=is
uninstall=
purge=

say() { printf '%s\n' "$*"; }
warn() { printf 'install.sh: %s\n' "$*" >&2; }
die() { warn "$*"; exit 1; }
# Does it, or with --dry-run says that it would.
run() { if [ -n "$dry" ]; then say "would run: $*"; else "$@"; fi; }

usage() { sed -n '2,/^set -eu/s/^# \{0,1\}//p' "$0"; }

# ---- What is where --------------------------------------------------------------------------------------------------

# Names all places below the root. The data directory is where the options say.
find_places() {
    bin=$root/usr/local/bin/postrider
    unit=$root/etc/systemd/system/postrider.service
    etc=$root/etc/postrider
    options=$etc/postrider.env
    # What an upgrade keeps for going back; root's alone.
    kept=$root/var/lib/postrider.upgrade
    data=$root$(option POSTRIDER_DATA /var/lib/postrider)
    # The program removes it before it accepts or sends anything.
    mark=$data/postrider.upgrading
    # Where it is reached from this machine.
    listen=$(option POSTRIDER_LISTEN 127.0.0.1:8383)
    case $listen in
    0.0.0.0:*) listen=127.0.0.1:${listen##*:} ;;
    "[::]:"*) listen="[::1]:${listen##*:}" ;;
    esac
}

# An option as the file has it, or else the second word.
option() {
    value=
    if [ -r "$options" ]; then value=$(sed -n "s/^$1=//p" "$options" | tail -n 1); fi
    printf '%s' "${value:-$2}"
}

# systemd runs, or a test's stand-in for it does.
has_systemd() {
    if [ -n "$root" ]; then [ -n "${POSTRIDER_TEST_SYSTEMCTL-}" ]; return; fi
    [ -d /run/systemd/system ] && command -v systemctl >/dev/null
}
systemd() { "${POSTRIDER_TEST_SYSTEMCTL:-systemctl}" "$@"; }

# Runs a command as the service's user: what lies in its directory is not to lead root anywhere.
as_service() {
    if [ "$(id -u)" -ne 0 ] || [ -z "$ids" ]; then "$@"; return; fi
    setpriv --reuid "${ids%:*}" --regid "${ids#*:}" --clear-groups -- "$@"
}

# uid:gid of the service's user, or nothing.
find_ids() {
    if [ -z "$root" ]; then
        ids=$(id -u "$user" 2>/dev/null):$(id -g "$user" 2>/dev/null) || ids=
    elif [ -f "$root/etc/passwd" ]; then
        ids=$(awk -F: -v name="$user" '$1 == name { print $3 ":" $4 }' "$root/etc/passwd")
    else
        ids=
    fi
}

# Puts a file in place in one step, so that nobody ever sees half of it: MODE FROM TO.
place() {
    if [ -n "$dry" ]; then say "would write: $3"; return; fi
    cp "$2" "$3.new"
    chmod "$1" "$3.new"
    mv -f "$3.new" "$3"
}

# ---- The program ----------------------------------------------------------------------------------------------------

# Finds the program to install, or builds it as whoever asked for this with sudo.
find_program() {
    if [ -n "$given" ]; then
        program=$given
    elif [ -x "$here/postrider" ] && [ ! -d "$here/postrider" ]; then
        program=$here/postrider
    else
        [ -f "$here/Cargo.toml" ] || die "there is no program beside this file; name one with --binary FILE"
        program=$here/target/release/postrider
        if [ -n "$dry" ]; then
            say "would build: $program"
            version="the new version"
            return
        fi
        say "Building the program; on two cores this takes some ten minutes."
        if [ "$(id -u)" -eq 0 ] && [ -n "${SUDO_USER-}" ] && [ "$SUDO_USER" != root ]; then
            # Quoted for the user's own shell, also with a quote in it.
            quoted=$(printf '%s\n' "$here" | sed "s/'/'\\\\''/g")
            su - "$SUDO_USER" -c "cd '$quoted' && cargo build --release --locked --target-dir target"
        else
            command -v cargo >/dev/null || die "there is no cargo to build with. Install Rust (https://rustup.rs), or name a program with --binary FILE"
            (cd "$here" && cargo build --release --locked --target-dir target)
        fi
    fi
    [ -f "$program" ] || die "$program is not a file"
    version=$("$program" --version 2>/dev/null) ||
        die "$program does not run on this machine: it is for another processor, or for a newer C library (glibc)"
    version=$(printf '%s\n' "$version" | head -n 1)
    case $version in
    "postrider "*) ;;
    *) die "$program is not Postrider: --version says \"$version\"" ;;
    esac
}

# The version that is in place.
in_place() { "$bin" --version 2>/dev/null || echo "a program that does not run"; }

# ---- The service ----------------------------------------------------------------------------------------------------

start() { if has_systemd; then run systemd start postrider.service; fi; }
stop() { if has_systemd; then run systemd stop postrider.service; fi; }
is_started() { systemd is-active --quiet postrider.service; }

# Whether some process, ours or not, has the data directory open: 1 says so, and anything above that flock could not look.
is_in_use() {
    if [ ! -f "$data/postrider.lock" ]; then return 1; fi
    locked=0
    words=$(as_service flock -n "$data/postrider.lock" true 2>&1) || locked=$?
    [ "$locked" -le 1 ] || die "it cannot be seen whether a server runs on $data: $words"
    [ "$locked" -eq 1 ]
}

# Without systemd, somebody else has to stop what runs.
die_if_in_use() {
    if is_in_use; then
        die "a server runs on $data (pid $(owner)), and there is no systemd to stop it with: stop it and run this again"
    fi
}

# After the service was stopped, what runs is not the service. What is to be said besides may follow.
die_if_another() {
    if is_in_use; then die "another server than the service's runs on $data (pid $(owner)): stop it and run this again${1-}"; fi
}

# The process that has it open.
owner() { as_service cat "$data/postrider.lock" | tr -cd 0-9; }

nap() { sleep 0.1 2>/dev/null || sleep 1; }

# Seconds since this machine has started: nobody sets this clock.
seconds() { cut -d . -f 1 /proc/uptime; }

# Waits until the server says that it is ready. That it accepts and its deliveries fail is as good, unless it was known to
# be ready before. A process that has ended is not waited for.
is_ready() {
    since=$(seconds)
    until said=$(as_service "$bin" health --data "$data" 2>&1); do
        code=$? limit=$patience
        if [ "$code" -eq 3 ]; then
            trouble="runs and accepts events, but ${said#postrider: }"
            if [ -z "$was_ready" ]; then return; fi
            limit=$patience_sending
        fi
        if [ -n "${1-}" ] && ! kill -0 "$1" 2>/dev/null; then return 1; fi
        if [ "$(($(seconds) - since))" -gt "$limit" ]; then warn "$said"; return 1; fi
        if has_systemd && ! is_started; then return 1; fi
        nap
    done
    trouble=
}

# Why nothing may be said for long, and how to end that.
say_waiting() {
    if ! has_systemd && [ ! -f "$data/postrider.db" ]; then return; fi
    back=
    if nothing_accepted; then back=" Ctrl-C goes back to the old version."; fi
    say "Waiting until $(in_place) is ready, for up to $((patience / 60)) minutes.$back"
}

# Whether the program that is in place comes up on the data: started as a service, or where there is no systemd for as
# long as it takes to be ready. `trouble`: what is to be said instead of that it is ready.
comes_up() {
    if has_systemd; then
        systemd start postrider.service && is_ready
        return
    fi
    trouble="is in place. There is no database yet, so nothing was started"
    [ -f "$data/postrider.db" ] || return 0
    log=$kept/log
    (
        while IFS= read -r line; do
            case $line in POSTRIDER_*=*) export "${line?}" ;; esac
        done <"$options"
        export POSTRIDER_DATA="$data"
        # As `as_service`, with exec, so that the process below is the server's.
        if [ "$(id -u)" -ne 0 ] || [ -z "$ids" ]; then exec "$bin" serve; fi
        exec setpriv --reuid "${ids%:*}" --regid "${ids#*:}" --clear-groups -- "$bin" serve
    ) >"$log" 2>&1 9>&- &
    trial=$!
    printf '%s\n' "$trial" >"$kept/trial"
    came=1
    if is_ready "$trial"; then came=0; fi
    kill -TERM "$trial" 2>/dev/null || true
    wait "$trial" || true
    trial=
    if [ "$came" -ne 0 ]; then sed 's/^/    /' "$log" >&2; fi
    return "$came"
}

# Stops the server that a run which was killed has started to look at it.
stop_trial() {
    pid=$(cat "$kept/trial" 2>/dev/null) || pid=
    if [ -n "$pid" ] && is_in_use && [ "$pid" = "$(owner)" ]; then
        # It may just have ended.
        kill -TERM "$pid" 2>/dev/null || true
        since=$(seconds)
        while is_in_use; do
            [ "$(($(seconds) - since))" -lt "$patience_stopping" ] ||
                die "the server that an interrupted run has started (pid $pid) does not stop: end it and run this again"
            nap
        done
    fi
}

# ---- Upgrading, and the way back ------------------------------------------------------------------------------------

# The files of the database: the main one first.
database_files="postrider.db postrider.db-wal"

# A file of the data directory into the one beside what is kept, with the rights of the service.
keep() { if [ -f "$data/$1" ]; then as_service cat "$data/$1" >"$kept/$1"; fi; }

# Whether a file of the data directory is as it was kept.
is_as_kept() {
    if [ ! -f "$kept/$1" ]; then [ ! -f "$data/$1" ]; return; fi
    [ -f "$data/$1" ] && as_service cat "$data/$1" | cmp -s - "$kept/$1"
}

rm_backs() { as_service rm -f "$data/postrider.db.back" "$data/postrider.db-wal.back"; }

# Whether nothing was accepted or sent since the database was kept, so that nothing is lost with it.
nothing_accepted() { [ -f "$mark" ]; }

# The database as it was, in the place of what the new version has made of it.
put_database_back() {
    if is_as_kept postrider.db && is_as_kept postrider.db-wal; then return; fi
    # All of it on the disk, which may be full, before anything is moved.
    for file in $database_files; do
        if [ ! -f "$kept/$file" ]; then continue; fi
        # shellcheck disable=SC2016
        if ! as_service sh -c 'umask 077; cat >"$1.back"' sh "$data/$file" <"$kept/$file"; then
            rm_backs
            die "the database as it was does not fit beside the one that is there. Nothing was moved: make room in $data and run this again"
        fi
    done
    # No program is there meanwhile, whatever starts this machine anew: it would find half a database.
    rm -f "$bin"
    sync
    aside=$data/backups/after-failed-upgrade-$(cat "$kept/stamp").db
    # The main file last, which says that all is aside.
    # shellcheck disable=SC2016
    as_service sh -c 'if [ ! -f "$2" ]; then
            for end in -wal ""; do if [ -f "$1$end" ]; then mv -f "$1$end" "$2$end"; fi; done
        fi
        rm -f "$1" "$1-wal" "$1-shm"
        for end in -wal ""; do if [ -f "$1$end.back" ]; then mv -f "$1$end.back" "$1$end"; fi; done
        ' sh "$data/postrider.db" "$aside"
    sync
    say "The database as the new version has left it is $aside"
}

# The old program and its unit.
put_program_back() {
    place 755 "$kept/postrider" "$bin"
    if [ -f "$kept/postrider.service" ]; then
        place 644 "$kept/postrider.service" "$unit"
        if has_systemd; then systemd daemon-reload; fi
    fi
    # The new one may have failed so often that systemd starts nothing of this name for a while.
    if has_systemd; then systemd reset-failed postrider.service 2>/dev/null || true; fi
    sync
}

# A name that no other run gives.
stamp() { printf '%s-%s' "$(date -u +%Y%m%dT%H%M%SZ)" $$; }

# Backs up with the program that made the file, before anything else is touched. Of each kind of copy that upgrades leave,
# the last three stay.
back_up() {
    if [ -n "$dry" ]; then say "would back up: $data/postrider.db, if there is one"; return; fi
    if [ ! -f "$data/postrider.db" ]; then return; fi
    backup=$data/backups/before-upgrade-$(stamp).db.gz
    as_service env POSTRIDER_DATA="$data" "$bin" backup --compress "$backup" ||
        die "the backup failed, so nothing was changed. If $bin itself is broken, remove it and run this again"
    # shellcheck disable=SC2016
    as_service sh -c 'for kind in before-upgrade-2 before-upgrade-from- after-failed-upgrade-; do
            ls -1t "$1/$kind"*.db "$1/$kind"*.db.gz 2>/dev/null | tail -n +4 |
                while IFS= read -r old; do rm -f "$old" "$old-wal"; done
        done' sh "$data/backups"
}

# The backup, what is kept for going back, and the copy that a migration makes need room beside the database; going back
# needs as much once more. Where the data lies on a disk of its own, only what is kept does not.
check_room() {
    if [ ! -f "$data/postrider.db" ]; then return; fi
    size=$(du -kc "$data/postrider.db" "$data/postrider.db-wal" 2>/dev/null | tail -n 1 | cut -f 1)
    has_room "$data" $((size * 4))
    has_room "$(dirname "$kept")" "$size"
}

has_room() {
    free=$(df -Pk "$1" | awk 'NR == 2 { print $4 }')
    [ "$free" -gt "$2" ] || die "$1 has $free KB free, and copies of the database need $2 KB; nothing was changed"
}

# From here to `settled` the old version is kept, and comes back if this run ends early.
upgrade() {
    say "Upgrading from $(in_place) to $version."
    if ! has_systemd; then die_if_in_use; fi
    check_room
    back_up
    if [ -n "$dry" ]; then
        say "would stop the server, replace $bin and $unit, start it, wait until it is ready, and go back if it is not"
        return
    fi
    mkdir -p "$kept"
    chmod 700 "$kept"
    phase=upgrading
    place 755 "$bin" "$kept/postrider"
    if [ -f "$unit" ]; then place 644 "$unit" "$kept/postrider.service"; fi
    stamp >"$kept/stamp"
    if has_systemd && is_started; then : >"$kept/was-running"; fi
    if as_service "$bin" health --data "$data" >/dev/null 2>&1; then was_ready=1; fi
    stop
    die_if_another
    for file in $database_files; do keep "$file"; done
    # shellcheck disable=SC2016
    as_service sh -c ': >"$1"' sh "$mark"
    sync
    : >"$kept/complete"
    place 755 "$program" "$bin"
    write_unit
    say_waiting
    if comes_up; then
        stay
    else
        warn "$version did not become ready"
        phase=
        go_back
        exit 1
    fi
}

# What was kept goes, in such an order that an interruption leaves nothing that looks complete.
settled() {
    phase=
    rm -f "$kept/complete"
    rm_backs
    as_service rm -f "$mark"
    rm -rf "$kept"
}

# What is in place has come up, and stays.
stay() {
    settled
    say "$(in_place) ${trouble:-is ready}."
}

# Whether the old program is in place: before the swap, or when all of the way back is done. Its database is there, and
# belongs to it.
is_old_in_place() { [ ! -f "$kept/complete" ] || cmp -s "$kept/postrider" "$bin"; }

# The old version stays, with whatever it has accepted since.
stay_old() {
    if [ -f "$kept/complete" ]; then put_program_back; fi
    start_again
    settled
}

# The old program, its unit and the database as it was. Done again from the start if it is interrupted. The program comes
# last: from when it is in place the database is its own.
go_back() {
    was_ready=
    if nothing_accepted; then
        stop
        stop_trial
        if is_in_use; then
            trap - EXIT
            die "a server runs on $data (pid $(owner)): stop it and run this again"
        fi
    fi
    nothing_accepted || leave
    said=
    if has_systemd; then said=" What the new one said: journalctl -u postrider"; fi
    say "Going back to the old program and the database as it was.$said"
    put_database_back
    put_program_back
    start_again
    settled
}

# The new version has begun to accept, so only a person may take back what it has.
leave() {
    left=$kept-$(cat "$kept/stamp")
    rm_backs
    mv "$kept" "$left"
    off="(stop the server)" on="(start the server)"
    if has_systemd; then
        off="systemctl stop postrider" on="systemctl start postrider"
        systemd start --no-block postrider.service || true
        warn "journalctl -u postrider says why"
    fi
    die "the new version has begun to accept events, so it stays, with its database. To try another one, run this again.
  To go back to the old version, with all events. It refuses a database to which the new one has added something:
    $off
    install -m 755 $left/postrider $bin
    $on
  If it refuses: the database as it was before the upgrade, without what was accepted since. With the old version in place:
    $off
    $bin restore $left/postrider.db --data $data
    $on
  When all is well: rm -r $left"
}

# Starts what is in place, if the service ran.
start_again() {
    say "$(in_place) is in place."
    if [ ! -f "$kept/was-running" ]; then return; fi
    if start && is_ready; then
        say "It ${trouble:-is ready}."
    else
        warn "$(in_place) does not become ready; journalctl -u postrider says why"
    fi
}

# Ends what an interrupted run has begun, whatever it was.
recover() {
    if [ -n "$dry" ]; then
        if [ -d "$kept" ]; then say "would end the upgrade that was interrupted"; fi
        return
    fi
    rm -f "$bin.new" "$unit.new" "$options.new"
    if [ -d "$kept" ]; then recover_upgrade; fi
}

# It may have been days ago, and whatever program was in place has run since. What is kept and what is in place tell:
#
#   `complete`  program in place  mark   what is done
#   no          any               any    it stays: nothing was swapped yet, or all but tidying up is done (stay_old)
#   yes         the one kept      any    it stays, with its unit: before the swap, or after the way back (stay_old)
#   yes         another one       any    it stays if it comes up (stay)
#   yes         another, or none  there  the old one and the database as it was come back (go_back)
#   yes         another, or none  gone   it has accepted: it stays, and a person decides (leave)
recover_upgrade() {
    say "The last upgrade was interrupted."
    if has_systemd; then systemd daemon-reload; fi
    if is_old_in_place; then
        stay_old
        return
    fi
    if [ -e "$bin" ]; then
        stop_trial
        # Cut off while it waits, it goes back as an upgrade does, and as is said now.
        if nothing_accepted; then phase=upgrading; fi
        say_waiting
        if comes_up; then stay; return; fi
        phase=
    fi
    go_back
}

# Ends what this run has begun, early. A new version that accepts already stays.
abort() {
    phase=
    was_ready=
    if is_old_in_place; then
        stay_old
    elif ! nothing_accepted && comes_up; then
        stay
    else
        go_back
    fi
}

on_exit() {
    status=$?
    trap - EXIT
    # The way back is not to be interrupted as easily as the way forth.
    trap '' INT TERM HUP
    if [ -n "${trial-}" ]; then kill -TERM "$trial" 2>/dev/null || true; wait "$trial" || true; fi
    if [ "$phase" = upgrading ]; then abort; fi
    exit "$status"
}

# ---- Installing -----------------------------------------------------------------------------------------------------

make_user() {
    find_ids
    if [ -n "$ids" ]; then return; fi
    if [ -n "$root" ] && [ "$(id -u)" -ne 0 ]; then say "Not root: everything belongs to you, and no user is made."; return; fi
    if [ -n "$root" ] && [ ! -f "$root/etc/passwd" ]; then
        say "There is no $root/etc/passwd: make the system user $user in the image, and give it ${data#"$root"}."
        return
    fi
    if command -v useradd >/dev/null; then
        set -- useradd --system --user-group --no-create-home --home-dir /var/lib/postrider --shell /usr/sbin/nologin
        if [ -n "$root" ]; then set -- "$@" --prefix "$root"; fi
        run "$@" "$user"
    elif [ -z "$root" ]; then
        run addgroup -S "$user"
        run adduser -S -D -H -h /var/lib/postrider -s /sbin/nologin -G "$user" "$user"
    else
        die "there is no useradd to make the user $user below $root"
    fi
    find_ids
}

make_data() {
    if [ -d "$data" ]; then return; fi
    run mkdir -p "$(dirname "$data")"
    run mkdir -m 700 "$data"
    if [ -n "$ids" ] && [ "$(id -u)" -eq 0 ]; then run chown "$ids" "$data"; fi
}

write_unit() {
    if [ -n "$dry" ]; then say "would write: $unit"; return; fi
    mkdir -p "$(dirname "$unit")"
    place 644 "$templates/postrider.service" "$unit"
    if has_systemd; then systemd daemon-reload; fi
}

# The options are written once. Later versions' own are told of.
write_options() {
    run mkdir -p "$etc"
    if [ ! -f "$options" ]; then
        if [ -n "$dry" ]; then say "would write: $options"; return; fi
        (umask 077 && cat "$templates/postrider.env" >"$options.new")
        if [ -n "$domain" ]; then
            sed -e "s|^#POSTRIDER_PUBLIC_URL=.*|POSTRIDER_PUBLIC_URL=https://$domain|" \
                -e "s|^#\(POSTRIDER_TRUSTED_PROXY=\)|\1|" "$templates/postrider.env" >"$options.new"
        fi
        mv -f "$options.new" "$options"
        return
    fi
    # A dry run without root does not see them.
    if [ ! -r "$options" ]; then return; fi
    sed -n 's/^#\{0,1\}\(POSTRIDER_[A-Z_]*\)=.*/\1/p' "$templates/postrider.env" | while read -r name; do
        grep -q "^#\{0,1\}$name=" "$options" ||
            say "New option: $name, which is not in $options; $templates/postrider.env explains it."
    done
    if [ -n "$domain" ] && [ "$(option POSTRIDER_PUBLIC_URL '')" != "https://$domain" ]; then
        say "Write into $options, which an upgrade leaves alone: POSTRIDER_PUBLIC_URL=https://$domain and POSTRIDER_TRUSTED_PROXY=127.0.0.1/32,::1/128 (then: systemctl restart postrider)"
    fi
}

# Which proxy is there, and what its site is called.
find_site() {
    if [ -d "$root/etc/caddy" ]; then
        site=$root/etc/caddy/postrider.caddyfile template=$templates/caddy.conf
        then_do="add the line \"import postrider.caddyfile\" to /etc/caddy/Caddyfile, then: systemctl reload caddy"
    elif [ -d "$root/etc/nginx" ]; then
        site=$root/etc/nginx/conf.d/postrider.conf template=$templates/nginx.conf
        if [ -d "$root/etc/nginx/sites-enabled" ]; then site=$root/etc/nginx/sites-available/postrider; fi
        then_do="nginx -t && systemctl reload nginx; for TLS: certbot --nginx -d $domain"
    else
        die "there is neither Caddy nor nginx here: install one of them (apt-get install caddy) and run this again"
    fi
}

# A site of that proxy. One that exists stays as it is: certbot may have written into it.
write_site() {
    if [ -f "$site" ] && ! sed 's/#.*//' "$site" | tr -s ' \t,;{' '\n' | grep -qxF "$domain"; then
        warn "$site is there already, for another name than $domain, and stays as it is: change or remove it, and run this again"
        return
    elif [ -f "$site" ]; then
        say "$site is there already and stays as it is."
    else
        if [ -n "$dry" ]; then say "would write: $site"; return; fi
        mkdir -p "$(dirname "$site")"
        sed -e "s|@DOMAIN@|$domain|g" -e "s|@LISTEN@|$listen|g" "$template" >"$site.new"
        chmod 644 "$site.new"
        mv -f "$site.new" "$site"
        say "The site of $domain is $site"
    fi
    case $site in
    */sites-available/*) run ln -sf ../sites-available/postrider "$root/etc/nginx/sites-enabled/postrider" ;;
    esac
    site_says="To reach it at https://$domain: $then_do"
}

# What the server has printed for whoever makes the first operator. Links of an earlier installation are in the log as well.
setup_link() {
    tries=0
    while [ "$tries" -lt 50 ]; do
        link=$("${POSTRIDER_TEST_JOURNALCTL:-journalctl}" -u postrider.service --since "@$began" -o cat 2>/dev/null |
            sed -n 's/^open this link within 30 minutes to make the first operator: //p' | tail -n 1)
        if [ -n "$link" ]; then return; fi
        tries=$((tries + 1))
        nap
    done
}

# The next of the steps that are left to a person.
step() {
    steps=$((steps + 1))
    say "  $steps. $*"
}

next_steps() {
    link='' steps=0
    say ""
    if has_systemd; then
        setup_link
        say "Postrider runs, also after the next start of this machine. Next:"
        # Until this is done, the link leads nowhere.
        if [ -n "$site_says" ]; then step "$site_says"; fi
        step "${link:-journalctl -u postrider has the link}"
        say "     Open it within 30 minutes and make the first operator. (A later start prints a new one: journalctl -u postrider)"
        [ -n "$domain" ] || say "     From your own machine, first open the way to it: ssh -L ${listen##*:}:$listen ${SUDO_USER:-root}@THIS-SERVER"
    else
        why="There is no systemd here" become=
        if [ -n "$root" ]; then why="This is an image (with systemd: systemctl enable postrider in it)"; fi
        say "Everything is in place. $why, so nothing was started. Next:"
        if [ "$(id -u)" -eq 0 ]; then become="setpriv --reuid $user --regid $user --clear-groups "; fi
        step "Run in the foreground, or from a supervisor of yours:"
        say "     while IFS= read -r line; do case \$line in POSTRIDER_*) export \"\$line\" ;; esac; done <${options#"$root"}"
        say "     exec $become${bin#"$root"} serve"
        say "     It prints a link, with which you make the first operator."
        if [ -n "$site_says" ]; then step "$site_says"; fi
    fi
    # Root acts as the owner of the data directory, and a machine without sudo has only root.
    as="sudo -u $user "
    if [ "$(id -u)" -eq 0 ] && [ -z "${SUDO_USER-}" ]; then as=; fi
    step "Make a key for your application:"
    say "     ${as}postrider keys create --name app --scopes events:write,endpoints:write --data ${data#"$root"}"
    [ -n "$domain" ] || step "Put it behind a reverse proxy with TLS: install.sh --domain hooks.example.com"
    say ""
    say "Options: ${options#"$root"}. Manual: http://$listen/docs"
}

install() {
    recover
    if [ -n "$domain" ]; then find_site; fi
    find_program
    make_user
    run mkdir -p "$root/usr/local/bin"
    make_data
    write_options
    # What it says is in force from here on.
    find_places
    site_says=
    if [ -n "$domain" ]; then write_site; fi
    first=
    began=$(date +%s)
    if [ ! -f "$data/postrider.db" ]; then first=1; fi
    if [ ! -e "$bin" ]; then
        write_unit
        if has_systemd; then run systemd enable postrider.service; fi
        # Last: where it is, everything is.
        place 755 "$program" "$bin"
        start || die "the server does not start; journalctl -u postrider says why"
    elif cmp -s "$program" "$bin" && cmp -s "$templates/postrider.service" "$unit"; then
        say "$version is installed already."
        start || die "the server does not start; journalctl -u postrider says why"
    else
        upgrade
    fi
    if [ -n "$first" ] && [ -z "$dry" ]; then
        next_steps
    elif [ -n "$site_says" ]; then
        say "$site_says"
    fi
}

# ---- Removing -------------------------------------------------------------------------------------------------------

# Before anything is removed: what cannot be brought back.
confirm_purge() {
    if [ ! -d "$data" ]; then return; fi
    case $data in
    "$root"/*/*) ;;
    *) die "$data does not look like a data directory; remove it by hand" ;;
    esac
    if [ ! -f "$data/postrider.lock" ] && [ -n "$(ls -A "$data")" ]; then
        die "$data holds files that are not of Postrider; remove it by hand"
    fi
    if [ -n "$dry" ]; then say "would ask before it removes $data"; return; fi
    say "$data holds all events, deliveries, endpoints, their secrets and the backups. Nothing brings them back."
    printf 'Type "delete %s" to remove it: ' "$data"
    read -r answer || answer=
    [ "$answer" = "delete $data" ] || die "that was not it: nothing is removed"
}

# Whether there is anything of Postrider's, be it what a failed upgrade has left.
is_here() {
    for path in "$bin" "$unit"; do if [ -e "$path" ]; then return; fi; done
    for path in "$data" "$etc" "$kept" "$kept"-*; do if [ -d "$path" ]; then return; fi; done
    return 1
}

remove() {
    if ! is_here; then
        # A dry run has not made it.
        if [ -z "$dry" ]; then rm -f "$root/var/lib/postrider.install"; fi
        say "Postrider is not here: there is neither $bin nor $data."
        return
    fi
    recover
    if [ -n "$purge" ]; then confirm_purge; fi
    has_unit=
    if has_systemd && [ -e "$unit" ]; then has_unit=1; fi
    if ! has_systemd; then die_if_in_use; fi
    if [ -n "$has_unit" ]; then run systemd stop postrider.service; fi
    # Files that are gone while a server writes to them are gone with all that it accepts.
    if [ -z "$dry" ]; then
        die_if_another "${has_unit:+. Nothing was removed; the service is stopped, and starts with this machine as before}"
    fi
    if [ -n "$has_unit" ]; then run systemd disable postrider.service; fi
    run rm -f "$unit" "$bin" "$root/var/lib/postrider.install"
    if has_systemd; then run systemd daemon-reload; fi
    for site in caddy/postrider.caddyfile nginx/sites-available/postrider nginx/conf.d/postrider.conf; do
        if [ -f "$root/etc/$site" ]; then say "The site $root/etc/$site stays: remove it, and what names it."; fi
    done
    if [ -z "$purge" ]; then
        for left in "$kept"-*; do
            if [ -d "$left" ]; then say "$left, a copy of the database with its secrets, stays: rm -r $left"; fi
        done
        say "Postrider $is removed. $data, $etc${ids:+ and the user $user} stay: --uninstall --purge removes them as well."
        return
    fi
    run rm -rf "$data" "$etc" "$kept"-*
    if [ -n "$ids" ] && [ -z "$root" ] && command -v userdel >/dev/null; then run userdel "$user"; fi
    say "Postrider $is removed, with its data and its options."
}

# ---- What is asked for ----------------------------------------------------------------------------------------------

# Whether an option has its value: OPTION VALUE. One that a variable left empty is none.
need() { [ -n "${2-}" ] || die "$1 needs a value, which is not empty; --help explains"; }

while [ $# -gt 0 ]; do
    case $1 in
    --binary=* | --domain=* | --root=*)
        word=$1
        shift
        set -- "${word%%=*}" "${word#*=}" "$@"
        ;;
    esac
    case $1 in
    --binary) need "$@"; given=$2; shift ;;
    --domain) need "$@"; domain=$2; shift ;;
    --root) need "$@"; root=$2; shift ;;
    --dry-run) dry=1 is="would be" ;;
    --uninstall) uninstall=1 ;;
    --purge) purge=1 ;;
    -h | --help) usage; exit 0 ;;
    *) die "there is no option $1; --help explains what there is" ;;
    esac
    shift
done

if [ -n "$root" ]; then
    root=$(cd "$root" 2>/dev/null && pwd) || die "--root must be a folder that exists"
    if [ "$root" = / ]; then root=; fi
fi
case $domain in
'') ;;
*[!A-Za-z0-9.-]* | .* | -* | *.) die "--domain must be a name such as hooks.example.com, and is \"$domain\"" ;;
*.*) ;;
*) die "--domain must be a name such as hooks.example.com, and is \"$domain\"" ;;
esac
[ -z "$purge" ] || [ -n "$uninstall" ] || die "--purge goes with --uninstall"
[ -d "$templates" ] || die "$templates is missing: run this from a clone or an unpacked release"
[ "$(id -u)" -eq 0 ] || [ -n "$root$dry" ] || die "this changes the system: run it as root, with sudo"

ids=
phase=
was_ready=
options=$root/etc/postrider/postrider.env
find_places
find_ids
case $data in
"$root"/*) ;;
*) die "POSTRIDER_DATA in $options must be a whole path, without quotes" ;;
esac

for tool in flock setpriv; do
    command -v "$tool" >/dev/null || die "there is no $tool; it is in Debian's package util-linux"
done

if [ -z "$dry" ]; then
    mkdir -p "$root/var/lib"
    exec 9>"$root/var/lib/postrider.install"
    # One that was killed may take a moment to be gone.
    tries=0
    until flock -n 9; do
        tries=$((tries + 1))
        [ "$tries" -lt 30 ] || die "this runs already, in another terminal"
        nap
    done
fi

trap on_exit EXIT
trap 'exit 130' INT
trap 'exit 143' TERM HUP

if [ -n "$uninstall" ]; then remove; else install; fi
