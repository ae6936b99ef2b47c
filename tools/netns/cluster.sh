#!/bin/sh
# A cluster of real hosts that survives: workers in network namespaces, on cables
# that the kernel's tc-tbf holds to a rate, with mutual TLS. While a run goes on a
# worker is killed, a cable pulled, and the way between two workers cut; each time
# the texts must be those of an undisturbed run, and the report must tell of a
# recovery. Then the coordinator is killed, and the run goes on from its journal. At
# last a worker without the model fetches it; how long that took is set beside what
# the simulator says.
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

# start NAME FLAGS...: a worker.
start() {
	worker=$1
	shift
	: >"$work/$worker.log"
	netns_start "$worker" "$edgeshard" worker --listen "$(netns_address "$worker"):7077" --name "$worker" --threads 1 --cache "$work/cache-$worker" \
		--cert "$certs/$worker.crt" --key "$certs/$worker.key" --ca "$certs/ca.crt" "$@" >"$work/$worker.log" 2>&1
	echo $! >"$work/$worker.pid"
	await 50 grep -q listens "$work/$worker.log"
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

# topology USABLE NAME...: of devices with that much memory.
topology() {
	usable=$1
	shift
	echo 'source = "one"'
	for d in "$@"; do
		printf '[[device]]\nname = "%s"\naddress = "%s:7077"\nmemory = "1GB"\nusable = "%s"\nflops = "20GFLOPS"\nmemory_bandwidth = "10GB/s"\n' "$d" "$(netns_address "$d")" "$usable"
	done
	printf '[[link]]\nbandwidth = "%sMbps"\nlatency = "0s"\n' "$rate"
}
topology 3MB $devices >"$work/topology.toml"
for d in $devices; do
	"$edgeshard" cert issue --dir "$certs" "$d" "$(netns_address "$d")" >/dev/null
	start "$d"
done
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

# A worker without the model gets its weights over the coordinator's cable, in
# about the time that the simulator says.
"$edgeshard" model synth --config demo --precision f32 -o "$work/model.gguf" >/dev/null
topology 4.5MB one two >"$work/two.toml"
"$edgeshard" plan -t "$work/two.toml" -m "$work/model.gguf" --force two --prompt-tokens 16 --tokens 4 --ignore-eos -o "$work/fetch.json" >/dev/null
stop two
start two --model "$work/none"
netns_rate coordinator "${rate}mbit"
"$edgeshard" run "$work/fetch.json" -o "$work/predicted.json" >/dev/null
begin fetched "$work/fetch.json"
pid=$!
end fetched
"$edgeshard" compare "$work/predicted.json" "$work/fetched.json" | grep 'devices.two.load_ms' >"$work/load.txt"
echo "fetched, predicted and measured: $(cat "$work/load.txt")"
