# shellcheck shell=bash disable=SC2317
# A second prod host joins; releases roll through prod host by host.

both_run() { runs_everywhere "$1" prod1 && runs_everywhere "$1" prod2; }

host_start prod2
inventory_write prod1 prod2
under_load "site.yml as a second prod host joins (the proxy restarts)" set_up
check "a host joins with a line in the inventory" test $? = 0
check "it runs the app" runs_everywhere "$RELEASE" prod2

third=$(artifact_variant third)
under_load "rolling deploy to two prod hosts" play deploy.yml -e target=prod -e "serin_service_artifact=$third"
check "a release is deployed to both" both_run "$RELEASE.third"
check "and no request fails" none_failed

broken=$(artifact_variant broken-again break_start)
pids="$(main_pid prod2 sample@3001) $(main_pid prod2 sample@3011)"
under_load "a broken release on two prod hosts" play deploy.yml -e target=prod -e "serin_service_artifact=$broken"
check "a broken release fails on the first host" test $? != 0
check "where it is rolled back" runs_everywhere "$RELEASE.third" prod1
check "and the second is unchanged" same "$pids" "$(main_pid prod2 sample@3001) $(main_pid prod2 sample@3011)"
check "and no request fails" none_failed

under_load "roll-back of two prod hosts" play rollback.yml -e target=prod
check "a roll-back of prod fails no request" none_failed
newer=$(ARTIFACT_OF=$ARTIFACT artifact_variant newer)
under_load "deploy of Serin on all hosts, with the only proxy" play deploy.yml -e target=edge -e "serin_artifact=$newer"
check "a release is deployed to the edge" same "$SERIN_RELEASE.newer $SERIN_RELEASE.newer" \
  "$(running_release edge1 sample-proxy) $(running_release prod2 sample-agent@3011)"
check "Redis has denied no command of a program" same "" "$(redis_cli operator acl log)"
