#!/bin/sh
# Compares sim/des with container/heap and, where it is installed, SimPy, on one core.
set -eu
cd "$(dirname "$0")"
GOMAXPROCS=1 GOFLAGS=-mod=mod go run .
for python in /usr/bin/python3 python3; do
	if "$python" -c 'import simpy' 2>/dev/null || "$python" -c 'import SimPy.Simulation' 2>/dev/null; then
		exec "$python" hold.py
	fi
done
echo "SimPy is not installed: apt-get install python3-simpy" >&2
