# shellcheck shell=bash disable=SC2317
# Static checks, which need no hosts.

lints_playbooks() { (cd ansible && ansible-lint --offline --nocolor -q); }
lints_scripts() { shellcheck --external-sources --severity=warning ansible/new-vault "$DEPLOYMENT_TESTS"/run "$DEPLOYMENT_TESTS"/*/*.sh; }
# Prints what a check calls that neither the libraries nor the checks before all others define.
undefined_alone() {
  local file names
  for file in "$DEPLOYMENT_TESTS"/checks/*.sh; do
    names=$(cat "$DEPLOYMENT_TESTS"/checks/*.sh | grep -oE '^[a-z_]+\(\)' | tr -d '()' | sort -u |
      grep -vxFf <(cat "$DEPLOYMENT_TESTS"/{lib/*,checks/??-package,checks/??-provision}.sh "$file" | grep -oE '^[a-z_]+\(\)' | tr -d '()'))
    grep -HoE "(^|[ \"(!])($(paste -sd'|' <<<"$names"))( |\)|\$)" "$file"
  done
}

command -v ansible-lint >/dev/null && command -v yamllint >/dev/null && command -v shellcheck >/dev/null ||
  install_packages ansible-lint yamllint shellcheck
check "yamllint passes" sh -c "cd ansible && yamllint --strict ."
check "ansible-lint passes" lints_playbooks
check "shellcheck passes" lints_scripts
check "each check runs by itself" same "" "$(undefined_alone)"
