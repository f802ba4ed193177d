# shellcheck shell=bash disable=SC2317
# A release is deployed to the canary, then to prod. Bad releases are rolled back. All of it under traffic.

agent_pids() { echo "$(main_pid prod1 sample-agent@3001) $(main_pid canary1 sample-agent@3002) $(main_pid canary1 sample-agent@3012)"; }

SECOND=$(artifact_variant second)
agents=$(agent_pids)
mailed=$(count_mails)
check "deploy.yml --check passes" play deploy.yml --check -e target=both -e "serin_service_artifact=$SECOND"
check "and changes nothing" runs_everywhere "$RELEASE"
under_load "deploy to the canary" play deploy.yml -e target=canary -e "serin_service_artifact=$SECOND"
check "a release is deployed to the canary" runs_everywhere "$RELEASE.second"
check "and not to prod" runs_everywhere "$RELEASE" prod1
check "and no request fails" none_failed
check "and the proxy keeps the canary open" canary_open
check "the canary serves it" eventually 5 contains "$(curl -sS "http://$(host_address canary1):3002/")" "$RELEASE.second"

under_load "rolling deploy to one prod host" play deploy.yml -e target=prod -e "serin_service_artifact=$SECOND"
check "the release is deployed to prod" runs_everywhere "$RELEASE.second" prod1
check "and no request fails" none_failed
check "and nobody gets a mail" same "$mailed" "$(count_mails)"
pids=$(first_and_last_pids)
check "a second deploy of it changes nothing" nothing_changed "$(play deploy.yml -e target=both -e "serin_service_artifact=$SECOND" 2>&1)"
check "and restarts nothing" same "$pids" "$(first_and_last_pids)"
host_root canary1 touch /etc/sample/sample@3012.env
second_pid=$(main_pid canary1 sample@3012)
check "the next run completes an interrupted one" \
  play deploy.yml -e target=canary -e serin_service_artifact=/nonexistent -e "serin_release=$RELEASE.second"
check "it restarts the other instance" refuses same "$second_pid" "$(main_pid canary1 sample@3012)"
check "and nothing else" same "$pids" "$(first_and_last_pids)"
check "site.yml does not change releases" nothing_changed "$(set_up 2>&1)"
check "no release of the service has restarted an agent" same "$agents" "$(agent_pids)"
check "the ledger lists the deploys" \
  contains "$(curl -fsS "$(monitor_url)/api/events?kind=deploy")" "prod1 runs release $RELEASE.second, after $RELEASE (deploy)"
check "deploy.yml rejects a missing target" refuses play deploy.yml

broken=$(artifact_variant ends-at-once break_start)
under_load "a release that crashes at its start, on the canary" play deploy.yml -e target=both -e "serin_service_artifact=$broken"
check "a release that crashes at its start fails the deploy" test $? != 0
check "and the reason is shown" contains "$LOAD_OUTPUT" "broken on purpose"
check "the canary runs the earlier release" runs_everywhere "$RELEASE.second"
check "prod is unchanged" same "${pids% *}" "$(main_pid prod1 sample@3001) $(main_pid prod1 sample@3011)"
check "and no request fails" none_failed

broken=$(artifact_variant never-ready break_readiness)
second_pid=$(main_pid prod1 sample@3011)
under_load "a release that never becomes ready, on prod" \
  play deploy.yml -e target=prod -e "serin_service_artifact=$broken"
check "a release that never becomes ready fails the deploy" test $? != 0
check "prod runs the earlier release" runs_everywhere "$RELEASE.second" prod1
check "and its second instance is unchanged" same "$second_pid" "$(main_pid prod1 sample@3011)"
check "and no request fails" none_failed

broken=$(artifact_variant ends-later break_after_a_second)
check "a release that crashes after it was healthy fails the deploy" refuses play deploy.yml -e target=canary -e "serin_service_artifact=$broken"
check "and is rolled back" runs_everywhere "$RELEASE.second"
check "the ledger lists the failed deploy" \
  contains "$(curl -fsS "$(monitor_url)/api/events?kind=deploy")" "canary1 failed to start release $RELEASE.ends-later"

pids=$(first_and_last_pids)
broken=$(ARTIFACT_OF=$ARTIFACT artifact_variant wants-a-setting break_settings)
check "a release of Serin that rejects its settings is rejected with its own message" \
  contains "$(play deploy.yml -e target=edge -e "serin_artifact=$broken" 2>&1)" "agent: SPEED is missing: give one"
check "before any restart" same "$pids $agents" "$(first_and_last_pids) $(agent_pids)"

printf tampered >>"$broken"
host_root canary1 rm -r "/opt/serin/releases/$SERIN_RELEASE.wants-a-setting"
check "an artifact with another checksum is rejected" \
  contains "$(play deploy.yml -e target=edge -e "serin_artifact=$broken" 2>&1)" "$(sha256sum <"$broken" | cut -d' ' -f1), not "
