#!/bin/sh
# Compares sim/des with container/heap, simgo and, where it is installed, SimPy,
# on one core. SIMGO may name a copy of github.com/fschuetz04/simgo.
set -eu
cd "$(dirname "$0")"
if [ ! -d simgo ]; then
	if [ -n "${SIMGO:-}" ]; then
		cp -r "$SIMGO" simgo
	else
		git clone --quiet --depth 1 https://github.com/fschuetz04/simgo simgo
	fi
fi
GOMAXPROCS=1 GOFLAGS=-mod=mod go run .
for python in /usr/bin/python3 python3; do
	if "$python" -c 'import simpy' 2>/dev/null || "$python" -c 'import SimPy.Simulation' 2>/dev/null; then
		exec "$python" hold.py
	fi
done
echo "SimPy is not installed: apt-get install python3-simpy" >&2
