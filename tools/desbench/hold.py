"""The hold model in SimPy 2, as Debian packages it (python3-simpy), or SimPy 3 and later."""
import random
import sys
import time

random.seed(1)
DELAYS = [random.expovariate(1.0) for _ in range(1 << 16)]

try:
    import simpy

    def hold(pending, until):
        env, n = simpy.Environment(), [0]

        def process():
            while True:
                n[0] += 1
                yield env.timeout(DELAYS[n[0] & 0xFFFF])

        for _ in range(pending):
            env.process(process())
        start = time.process_time()
        env.run(until)
        return n[0] / (time.process_time() - start)

    name = "SimPy " + simpy.__version__
except ImportError:
    from SimPy.Simulation import Process, Simulation, hold as wait
    import SimPy

    class Holder(Process):
        n = 0

        def run(self):
            while True:
                Holder.n += 1
                yield wait, self, DELAYS[Holder.n & 0xFFFF]

    def hold(pending, until):
        sim, Holder.n = Simulation(), 0
        for _ in range(pending):
            h = Holder(sim=sim)
            sim.activate(h, h.run())
        start = time.process_time()
        sim.simulate(until=until)
        return Holder.n / (time.process_time() - start)

    name = "SimPy " + SimPy.__version__

for pending, until in ((1000, 200), (100_000, 3)):
    best = max(hold(pending, until) for _ in range(3))
    print(f"{name + ', processes':32} {pending:7} pending {best / 1e6:8.2f} M events/s of CPU")
