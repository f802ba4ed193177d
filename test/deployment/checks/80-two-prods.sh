# shellcheck shell=bash disable=SC2317
# A second prod host joins; releases roll through prod host by host.

both_run() { runs_everywhere "$1" prod1 && runs_everywhere "$1" prod2; }

host_start prod2
inventory_write prod1 prod2
under_load "site.yml as a second prod host joins (the proxy restarts)" play site.yml -e "serin_artifact=$ARTIFACT"
check "a host joins with a line in the inventory" test $? = 0
check "it runs the app" runs_everywhere "$RELEASE" prod2

third=$(artifact_variant third)
under_load "rolling deploy to two prod hosts" play deploy.yml -e target=prod -e "serin_artifact=$third"
check "a release is deployed to both" both_run "$RELEASE.third"
check "and no request fails" none_failed

broken=$(artifact_variant broken-again break_start)
pids="$(main_pid prod2 serin-app) $(main_pid prod2 serin-app-2)"
under_load "a broken release on two prod hosts" play deploy.yml -e target=prod -e "serin_artifact=$broken"
check "a broken release fails on the first host" test $? != 0
check "where it is rolled back" runs_everywhere "$RELEASE.third" prod1
check "and the second is unchanged" same "$pids" "$(main_pid prod2 serin-app) $(main_pid prod2 serin-app-2)"
check "and no request fails" none_failed

under_load "roll-back of two prod hosts" play rollback.yml -e target=prod
check "a roll-back of prod fails no request" none_failed
under_load "deploy of the proxy and the monitor on the only edge host" play deploy.yml -e target=edge -e "serin_artifact=$third"
check "a release is deployed to the edge" same "$RELEASE.third" "$(running_release edge1 serin-proxy)"
check "Redis has denied no command of a program" same "" "$(redis_cli operator acl log)"
