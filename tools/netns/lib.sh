# Network namespaces for workers, to be sourced: each worker has a namespace and a
# cable of its own to one switch, on which tc-tbf holds what it sends to a rate.
# tbf has no latency; netem, which has, is not in every kernel.
#
#   netns_check            why namespaces cannot be had here, and a status of 1
#   netns_begin            set $work and $edgeshard up, or end well where there are no namespaces; finish, the script's, is called at the end
#   netns_up RATE NAME...  (RATE such as 20mbit) namespaces for workers of these names, and one for the coordinator
#   netns_address NAME     the address of a worker's namespace
#   netns_in NAME CMD...   run a command there ("coordinator" is a name, too)
#   netns_start NAME CMD...  start one; $! is its process
#   netns_rate NAME RATE   change a worker's rate, for example to degrade its link
#   netns_cut NAME, netns_mend NAME          a worker's cable
#   netns_part NAME NAME, netns_join NAME NAME   the way between two workers alone
#   netns_down             take everything down

netns_prefix=es$$
netns_names=

netns_check() {
	[ "$(uname)" = Linux ] || { echo "namespaces are Linux's"; return 1; }
	[ "$(id -u)" = 0 ] || { echo "network namespaces need root"; return 1; }
	for tool in ip tc; do
		command -v $tool >/dev/null || { echo "$tool is not installed"; return 1; }
	done
	ip netns add "$netns_prefix-try" 2>/dev/null || { echo "namespaces are not allowed here"; return 1; }
	ip netns del "$netns_prefix-try"
}

netns_begin() {
	netns_why=$(netns_check) || { echo "skipped: $netns_why"; exit 0; }
	work=$(mktemp -d)
	trap finish EXIT
	trap 'exit 130' INT TERM
	edgeshard=${EDGESHARD:-$work/edgeshard}
	[ -x "$edgeshard" ] || (cd "$here/../.." && go build -o "$edgeshard" ./cmd/edgeshard)
}

netns_index() {
	netns_n=1
	for netns_one in $netns_names; do
		[ "$netns_one" = "$1" ] && { echo $netns_n; return; }
		netns_n=$((netns_n + 1))
	done
	echo "no namespace for $1" >&2
	return 1
}

netns_address() { echo "10.77.0.$(netns_index "$1")"; }

netns_in() {
	netns_at=$netns_prefix-$1
	shift
	ip netns exec "$netns_at" "$@"
}

netns_start() {
	netns_at=$netns_prefix-$1
	shift
	ip netns exec "$netns_at" "$@" &
}

netns_up() {
	netns_speed=$1
	shift
	netns_names="$* coordinator"
	ip netns add "$netns_prefix-switch"
	ip -n "$netns_prefix-switch" link add switch type bridge
	ip -n "$netns_prefix-switch" link set switch up
	for netns_to in $netns_names; do
		netns_i=$(netns_index "$netns_to")
		ip netns add "$netns_prefix-$netns_to"
		ip link add "$netns_prefix-$netns_i" netns "$netns_prefix-switch" type veth peer name cable netns "$netns_prefix-$netns_to"
		ip -n "$netns_prefix-switch" link set "$netns_prefix-$netns_i" master switch up
		ip -n "$netns_prefix-$netns_to" address add "$(netns_address "$netns_to")/24" dev cable
		ip -n "$netns_prefix-$netns_to" link set lo up
		ip -n "$netns_prefix-$netns_to" link set cable up
		[ "$netns_to" = coordinator ] || netns_rate "$netns_to" "$netns_speed"
	done
}

# The bucket holds a packet, and what comes in while the kernel's timer is late, for
# which 250 us are allowed: with a packet alone every packet would wait for a timer,
# and at 100 Mbps each one's lateness is a third of its time.
netns_burst() { echo $((1600 + ${1%mbit} * 125 / 4)); }
netns_rate() { netns_in "$1" tc qdisc replace dev cable root tbf rate "$2" burst "$(netns_burst "$2")" limit 16mb; }

netns_cut() { ip -n "$netns_prefix-$1" link set cable down; }
netns_mend() { ip -n "$netns_prefix-$1" link set cable up; }

# Isolated ports of a bridge reach the others, and not each other.
netns_isolate() {
	for netns_to in "$1" "$2"; do
		ip -n "$netns_prefix-switch" link set "$netns_prefix-$(netns_index "$netns_to")" type bridge_slave isolated "$3"
	done
}
netns_part() { netns_isolate "$1" "$2" on; }
netns_join() { netns_isolate "$1" "$2" off; }

netns_down() {
	for netns_to in $netns_names switch; do
		ip netns del "$netns_prefix-$netns_to" 2>/dev/null || true
	done
	netns_names=
}
