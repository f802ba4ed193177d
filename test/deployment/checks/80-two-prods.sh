# shellcheck shell=bash disable=SC2317
# Another host joins, and prod is released one host after the other.

both_run() { runs_everywhere "$1" prod1 && runs_everywhere "$1" prod2; }

host_start prod2
inventory_write prod1 prod2
under_load "site.yml as a second prod host joins (the proxy restarts)" play site.yml -e "serin_artifact=$ARTIFACT"
check "another host joins by a line in the inventory" test $? = 0
check "it runs the app" runs_everywhere "$RELEASE" prod2

third=$(artifact_variant third)
under_load "rolling deploy to two prod hosts" play deploy.yml -e target=prod -e "serin_artifact=$third"
check "a release goes to both" both_run "$RELEASE.third"
check "no request failed meanwhile" none_failed

broken=$(artifact_variant broken-again break_start)
pids="$(main_pid prod2 serin-app) $(main_pid prod2 serin-app-2)"
under_load "a broken release on two prod hosts" play deploy.yml -e target=prod -e "serin_artifact=$broken"
check "a broken release stops at the first host" test $? != 0
check "which takes itself back" runs_everywhere "$RELEASE.third" prod1
check "and leaves the second untouched" same "$pids" "$(main_pid prod2 serin-app) $(main_pid prod2 serin-app-2)"
check "no request failed meanwhile" none_failed

under_load "roll-back of two prod hosts" play rollback.yml -e target=prod
check "no request failed while prod was rolled back" none_failed
under_load "deploy of the proxy and the monitor on the only edge host" play deploy.yml -e target=edge -e "serin_artifact=$third"
check "the edge takes a release too" same "$RELEASE.third" "$(running_release edge1 serin-proxy)"
check "at the end Redis has refused no program's command" same "" "$(redis_cli operator acl log)"
