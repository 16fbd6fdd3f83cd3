#!/usr/bin/env bash
# Three nodes of one cluster on this machine, until Ctrl-C: "make cluster". With a third
# argument only that node, beside the others that run already: "make cluster NODE=n2".
set -euo pipefail
set -m # Ctrl-C reaches this script alone, so that each node is told once to leave
node=${1:-bin/fleetfuse-node}
dir=${2:-data/cluster}
ctl=$(dirname "$node")/fleetfuse-ctl
case ${3:-} in
  "") nodes="1 2 3" ;;
  n[123]) nodes=${3#n} ;;
  *) echo "there is no node $3; give n1, n2 or n3: make cluster NODE=n2" >&2; exit 2 ;;
esac
trap 'exit 0' INT TERM
trap 'trap - INT TERM EXIT; kill $(jobs -p) 2>/dev/null; wait' EXIT

http() { echo "127.0.0.1:$((7130 + 10 * $1))"; } # the next two ports are for gossip and actors

# await N COMMAND... repeats the command until it is true, as long as node N runs.
await() {
  local i=$1
  until "${@:2}"; do
    kill -0 "${pids[i]}" 2>/dev/null || { echo "n$i ended:"; tail -3 "$dir/n$i/log"; exit 1; }
    sleep 0.1
  done
}

# sees_all says whether a node sees all three.
sees_all() {
  [[ $("$ctl" --addr "$(http "$1")" cluster members -o json 2>/dev/null | grep -c '"state": "alive"') == 3 ]]
}

for i in $nodes; do
  port=$((7130 + 10 * i))
  peers=()
  for j in 1 2 3; do
    [[ $j == "$i" ]] || peers+=(--cluster.peer "127.0.0.1:$((7131 + 10 * j))")
  done
  mkdir -p "$dir/n$i"
  rm -f "$dir/n$i/ready.json"
  "$node" run --node.name "n$i" --data-dir "$dir/n$i" --ready-file "$dir/n$i/ready.json" \
    --http.listen-address "127.0.0.1:$port" --cluster.listen-address "127.0.0.1:$((port + 1))" \
    --actor.listen-address "127.0.0.1:$((port + 2))" "${peers[@]}" \
    --breaker-defaults "${BREAKER_DEFAULTS:-reset:10}" 2>"$dir/n$i/log" &
  pids[i]=$!
done
for i in $nodes; do
  await "$i" test -e "$dir/n$i/ready.json"
  echo "n$i: http $(http "$i"), pid ${pids[i]}, log $dir/n$i/log"
done
if [[ $nodes == "1 2 3" ]]; then
  for i in $nodes; do await "$i" sees_all "$i"; done
  echo "All three see each other. Ctrl-C ends them."
else
  echo "Ctrl-C ends it."
fi
wait
