#!/usr/bin/env bash
# A user's way with pipx: ansible-core by pipx, the collection from its tarball, the examples' site on the emulator.
# tests/bare_machine.py runs it there, in a clone.
set -euo pipefail
export PATH="$HOME/.local/bin:$PATH"

pipx install ansible-core
grep -v '^#' requirements.txt | xargs pipx inject ansible-core distlib
pipx install ./emulator

ansible-galaxy collection build --output-path "$HOME/built" .
ansible-galaxy collection install "$HOME"/built/cloudn-compute-*.tar.gz
cp -r examples "$HOME/site" # apart from the clone, as a user has it
cd "$HOME/site"

cloudn-emulator --port 0 --job-seconds 0.2 --expunge-seconds 3 >"$HOME/emulator.out" &
trap 'kill $!' EXIT
for ((tries = 0; tries < 100; tries++)); do
  url=$(sed -n 's/.*listens on \([^ ]*\).*/\1/p' "$HOME/emulator.out")
  [ -z "$url" ] || break
  sleep 0.1
done
export CLOUDN_API_URL="${url:?the emulator does not listen}"
export CLOUDN_API_KEY=cloudn-emulator-api-key CLOUDN_API_SECRET=cloudn-emulator-api-secret

ansible-playbook site.yml
ansible-playbook site.yml | tee "$HOME/again"
grep -q 'changed=0 .*failed=0' "$HOME/again"
ansible-inventory --graph | tee "$HOME/graph"
grep -q '@tag_role_web' "$HOME/graph"
ansible-playbook configure.yml
ansible-playbook teardown.yml -e wait_for_expunge=true
ansible-playbook site_in_one_task.yml
ansible-playbook site_in_one_task.yml -e state=absent
