#!/bin/sh
# Confirm that links shaped in the transport are links: run one plan twice, on
# local workers whose links edgeshard shapes, and on workers in network namespaces
# whose links the kernel's tc-tbf shapes, with mutual TLS, and compare how long
# messages took.
#
#   tools/netns/run.sh [RATE_MBPS [PERCENT]]
#
# RATE_MBPS (default 20) is that of every link. It fails if the median time of a
# link's prefill messages differs by more than PERCENT (default 15) from the shaped
# one's with the headers of its packets, which the kernel counts and the transport
# does not, 66 bytes with each 1448, and without tbf's bucket, which is full when a
# message begins. Decode's messages fit into the bucket. Where there are no namespaces it says so and ends
# well.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
. "$here/lib.sh"
rate=${1:-20} most=${2:-15}

workers=
finish() {
	for pid in $workers; do kill "$pid" 2>/dev/null || true; done
	netns_down
	rm -rf "$work"
}
netns_begin
devices="one two three"

# A topology of three devices that each need the others: with addresses and without.
topology() {
	echo 'source = "one"'
	for d in $devices; do
		printf '[[device]]\nname = "%s"\nmemory = "1GB"\nusable = "1GB"\nflops = "20GFLOPS"\nmemory_bandwidth = "10GB/s"\n' "$d"
		[ "$1" = bare ] || printf 'address = "%s:7077"\n' "$(netns_address "$d")"
	done
	printf '[[link]]\nbandwidth = "%sMbps"\nlatency = "0s"\n' "$rate"
}

# plan KIND: the demo model, on all three devices.
plan() {
	topology "$1" >"$work/$1.toml"
	"$edgeshard" plan -t "$work/$1.toml" -m demo --force two --force three --requests 9 --prompt-tokens 120 --tokens 4 -o "$work/$1.json" >/dev/null
}

# run KIND NAMESPACE FLAGS...: spans of the plan.
run() {
	kind=$1
	shift
	"$@" run "$work/$kind.json" --backend exec --threads 1 --ignore-eos --spans-table "$work/$kind.csv" -o "$work/$kind-report.json" >/dev/null
}

# medians FILE: from, to, bytes and the median time in ms of the messages of each size.
medians() {
	awk -F, 'NR == 1 { for (i = 1; i <= NF; i++) at[$i] = i; next }
		$at["what"] == "send" { print $at["device"], $at["to"], $at["bytes"], ($at["end_ns"] - $at["start_ns"]) / 1e6 }' "$1" |
		sort -k1,3 -k4n | awk '
		function flush() { if (n) print key, v[int((n + 1) / 2)] }
		{ k = $1 " " $2 " " $3; if (k != key) { flush(); key = k; n = 0 } v[++n] = $4 }
		END { flush() }' | sort
}

netns_up "${rate}mbit" $devices

plan bare
run bare "$edgeshard"

certs=$work/certs
"$edgeshard" cert init --dir "$certs" >/dev/null
"$edgeshard" cert issue --dir "$certs" coordinator >/dev/null
for d in $devices; do
	"$edgeshard" cert issue --dir "$certs" "$d" "$(netns_address "$d")" >/dev/null
	netns_start "$d" "$edgeshard" worker --listen "$(netns_address "$d"):7077" --name "$d" --threads 1 \
		--cert "$certs/$d.crt" --key "$certs/$d.key" --ca "$certs/ca.crt" >"$work/$d.log" 2>&1
	workers="$workers $!"
done
for d in $devices; do
	for _ in 1 2 3 4 5 6 7 8 9 10; do
		grep -q listens "$work/$d.log" 2>/dev/null && break
		sleep 0.3
	done
done
plan named
run named netns_in coordinator "$edgeshard" --cert "$certs/coordinator.crt" --key "$certs/coordinator.key" --ca "$certs/ca.crt"

medians "$work/bare.csv" >"$work/bare.txt"
medians "$work/named.csv" >"$work/named.txt"
echo "from to bytes idle_ms shaped_ms namespaces_ms difference"
awk -v most="$most" -v rate="$rate" -v burst="$(netns_burst "${rate}mbit")" '
	NR == FNR { shaped[$1 " " $2 " " $3] = $4; next }
	$3 >= 10000 {
		k = $1 " " $2 " " $3
		off = ($4 / (shaped[k] * (1 + 66 / 1448) - burst * 8 / rate / 1000) - 1) * 100
		printf "%s %.2f %.2f %.2f %+.1f%%\n", k, $3 * 8 / rate / 1000, shaped[k], $4, off
		n++
		if (off > most || off < -most) bad++
	}
	END {
		if (!n) { print "no messages"; exit 1 }
		if (bad) { print bad " beyond " most " %"; exit 1 }
		print "links shaped in the transport are those of tc-tbf within " most " %"
	}' "$work/bare.txt" "$work/named.txt"
