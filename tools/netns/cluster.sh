#!/bin/sh
# A cluster of real hosts that survives: workers in network namespaces, on cables
# that the kernel's tc-tbf holds to a rate, with mutual TLS. While a run goes on a
# worker is killed, a cable pulled, and the way between two workers cut; each time
# the texts must be those of an undisturbed run, and the report must tell of a
# recovery. At last the coordinator is killed, and the run goes on from its journal.
#
#   tools/netns/cluster.sh [RATE_MBPS]
#
# Where there are no namespaces it says so and ends well.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
. "$here/lib.sh"
rate=${1:-20}

devices="one two three four"
finish() {
	for d in $devices; do stop "$d"; done
	netns_down
	rm -rf "$work"
}
netns_begin
certs=$work/certs

# await N COMMAND...: until it succeeds, for N tenths of a second at most.
await() {
	left=$1
	shift
	until "$@"; do
		left=$((left - 1))
		[ $left -gt 0 ] || { echo "never: $*" >&2; return 1; }
		sleep 0.1
	done
}

start() {
	: >"$work/$1.log"
	netns_start "$1" "$edgeshard" worker --listen "$(netns_address "$1"):7077" --name "$1" --threads 1 --cache "$work/cache-$1" \
		--cert "$certs/$1.crt" --key "$certs/$1.key" --ca "$certs/ca.crt" >"$work/$1.log" 2>&1
	echo $! >"$work/$1.pid"
	await 50 grep -q listens "$work/$1.log"
}

stop() {
	[ ! -f "$work/$1.pid" ] || kill -9 "$(cat "$work/$1.pid")" 2>/dev/null || true
	rm -f "$work/$1.pid"
}

# begin NAME FLAGS...: a run in the coordinator's namespace, of process $!; its
# report is NAME.json.
begin() {
	name=$1
	shift
	netns_start coordinator "$edgeshard" run "$@" --backend exec -o "$work/$name.json" \
		--cert "$certs/coordinator.crt" --key "$certs/coordinator.key" --ca "$certs/ca.crt" >"$work/$name.out" 2>&1
}

# end NAME: of the run of process $pid.
end() { wait $pid || { tail -3 "$work/$1.out"; return 1; }; }

grown() { [ -f "$1" ] && [ "$(wc -c <"$1")" -gt "$2" ]; }
texts() { grep '"text":' "$work/$1.json"; }

# disturbed NAME COMMAND...: a run in whose midst the command is done.
disturbed() {
	case=$1
	shift
	begin "$case" "$work/plan.json" --journal "$work/journal-$case"
	pid=$!
	await 100 grown "$work/journal-$case/run.journal" "$midst"
	"$@"
	end "$case"
	compare "$case"
	grep -q '"detection_ms"' "$work/$case.json" || { echo "$case: the report tells of no recovery"; return 1; }
	grep -A2 '"detection_ms"' "$work/$case.json" | tr -d '\n ' | sed "s/^/$case: /"
	echo
}

compare() {
	texts "$1" >"$work/$1.txt"
	cmp -s "$work/base.txt" "$work/$1.txt" || { echo "$1: other texts than undisturbed"; return 1; }
}

netns_up "${rate}mbit" $devices
"$edgeshard" cert init --dir "$certs" >/dev/null
"$edgeshard" cert issue --dir "$certs" coordinator >/dev/null
{
	echo 'source = "one"'
	for d in $devices; do
		"$edgeshard" cert issue --dir "$certs" "$d" "$(netns_address "$d")" >/dev/null
		printf '[[device]]\nname = "%s"\naddress = "%s:7077"\nmemory = "1GB"\nusable = "3MB"\nflops = "20GFLOPS"\nmemory_bandwidth = "10GB/s"\n' "$d" "$(netns_address "$d")"
	done
	printf '[[link]]\nbandwidth = "%sMbps"\nlatency = "0s"\n' "$rate"
} >"$work/topology.toml"
for d in $devices; do start "$d"; done
"$edgeshard" plan -t "$work/topology.toml" -m demo --force two --force three --requests 60 --batch 4 --prompt-tokens 16 --tokens 100 --ignore-eos -o "$work/plan.json" >/dev/null

begin base "$work/plan.json" --journal "$work/journal-base"
pid=$!
end base
texts base >"$work/base.txt"
midst=$(($(wc -c <"$work/journal-base/run.journal") / 3))

disturbed killed stop three
start three
disturbed unplugged netns_cut two
netns_mend two
disturbed parted netns_part two three
netns_join two three

begin resumed "$work/plan.json" --journal "$work/journal-resumed"
pid=$!
await 100 grown "$work/journal-resumed/run.journal" "$midst"
kill -9 $pid
wait $pid || true
begin resumed --resume "$work/journal-resumed"
pid=$!
end resumed
compare resumed
echo "resumed: after the coordinator's death"
echo "texts are those of an undisturbed run in all cases"
