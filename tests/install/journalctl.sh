#!/bin/sh
# Stands for journalctl beside systemctl.py: all that the service has printed.
cat "$FAKE_ROOT/run/fake-systemd/journal"
