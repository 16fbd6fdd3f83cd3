#!/usr/bin/env bash
# Three nodes of one cluster on this machine, until Ctrl-C: "make cluster".
set -euo pipefail
node=${1:-bin/fleetfuse-node}
dir=${2:-data/cluster}
trap 'trap - INT TERM EXIT; kill $(jobs -p) 2>/dev/null; wait' INT TERM EXIT
for i in 1 2 3; do
  port=$((7130 + 10 * i)) # 7140, 7150, 7160 for HTTP; the next two for gossip and actors
  mkdir -p "$dir/n$i"
  rm -f "$dir/n$i/ready.json"
  "$node" run --node.name "n$i" --data-dir "$dir/n$i" --ready-file "$dir/n$i/ready.json" \
    --http.listen-address "127.0.0.1:$port" --cluster.listen-address "127.0.0.1:$((port + 1))" \
    --actor.listen-address "127.0.0.1:$((port + 2))" --cluster.peer 127.0.0.1:7141 \
    --breaker-defaults "${BREAKER_DEFAULTS:-reset:10}" 2>"$dir/n$i/log" &
  pids[i]=$!
done
for i in 1 2 3; do
  until [[ -e "$dir/n$i/ready.json" ]]; do
    kill -0 "${pids[i]}" 2>/dev/null || { echo "n$i did not start:"; tail -3 "$dir/n$i/log"; exit 1; }
    sleep 0.1
  done
  echo "n$i: http 127.0.0.1:$((7130 + 10 * i)), pid ${pids[i]}, log $dir/n$i/log"
done
echo "Ctrl-C ends them."
wait
