# shellcheck shell=bash disable=SC2317
# Static checks, which need no hosts.

lints_playbooks() { (cd ansible && ansible-lint --offline --nocolor -q); }
lints_scripts() { shellcheck --external-sources --severity=warning ansible/new-vault "$DEPLOYMENT_TESTS"/run "$DEPLOYMENT_TESTS"/*/*.sh; }

command -v ansible-lint >/dev/null && command -v yamllint >/dev/null && command -v shellcheck >/dev/null ||
  install_packages ansible-lint yamllint shellcheck
check "yamllint passes" sh -c "cd ansible && yamllint --strict ."
check "ansible-lint passes" lints_playbooks
check "shellcheck passes" lints_scripts
