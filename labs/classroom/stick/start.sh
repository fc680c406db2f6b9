#!/bin/sh
# Start the course: on Linux `sh start.sh`, on macOS open start.command. It needs no network.
# `sh start.sh check` installs and looks whether all is ready, and starts nothing.
cd "$(dirname "$0")" || exit 1
named=$(sed 's/^/python/' pythons.txt)
installed=$(sed 's|^|/usr/local/bin/python|' pythons.txt)
for python in $named $installed python3 python; do
  if "$python" start.py fits >/dev/null 2>&1; then
    exec "$python" start.py "$@"
  fi
done
echo "No Python was found that this folder serves. It serves: $(tr '\n' ' ' <pythons.txt)"
echo "macOS: open the installer from python.org, perhaps in the folder python of the stick."
echo "Linux: ask your system for it, for instance: sudo apt install python3"
exit 1
