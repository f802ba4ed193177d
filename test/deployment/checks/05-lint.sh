# shellcheck shell=bash disable=SC2317
# What can be said of the playbooks without a host.

lints_playbooks() { (cd ansible && ansible-lint --offline --nocolor -q); }
lints_scripts() { shellcheck --external-sources --severity=warning ansible/new-vault "$DEPLOYMENT_TESTS"/run "$DEPLOYMENT_TESTS"/*/*.sh; }

command -v ansible-lint >/dev/null && command -v yamllint >/dev/null && command -v shellcheck >/dev/null ||
  install_packages ansible-lint yamllint shellcheck
check "yamllint has nothing to say" sh -c "cd ansible && yamllint --strict ."
check "ansible-lint has nothing to say" lints_playbooks
check "shellcheck has no warnings" lints_scripts
