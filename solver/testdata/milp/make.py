#!/usr/bin/env python3
"""Makes fixtures.json: small instances and their optima by COIN-OR cbc.

    apt-get install coinor-cbc && python3 make.py > fixtures.json

x[u,d] places unit u on device d, y[u,a,b] is the hop before unit u. Contiguity
(one visit) bounds the starts of stages on a device. Integer data, integer optima.
"""
import json, random, re, subprocess, tempfile


def instance(seed):
    r = random.Random(seed)
    n, d = r.randint(8, 14), r.randint(3, 5)
    weight = [r.randint(3, 5) for _ in range(n)]
    speed = [r.randint(2, 40) for _ in range(d)]
    return {
        "name": f"seed {seed}", "objective": ["latency", "revisits", "throughput"][seed % 3], "micro_batches": r.randint(2, 5),
        "weight": weight, "budget": [r.randint(sum(weight) // d, sum(weight) * 2 // 3) for _ in range(d)],
        "time": [[speed[k] + r.randint(0, 4) for _ in range(n)] for k in range(d)],
        "link": [[0 if a == b else r.randint(1, 60) for b in range(d)] for a in range(d)],
        "return": [0] + [r.randint(1, 20) for _ in range(d - 1)],
    }


def lp(p):
    n, d, k = len(p["weight"]), len(p["budget"]), p["micro_batches"]
    D = range(d)
    rows, cost = [], []
    for a in D:
        cost += [(p["time"][a][u], f"x_{u}_{a}") for u in range(n)] + [(p["return"][a], f"x_{n-1}_{a}")]
    for u in range(1, n):
        for a in D:
            cost += [(p["link"][a][b], f"y_{u}_{a}_{b}") for b in D]
            rows.append(" + ".join(f"y_{u}_{a}_{b}" for b in D) + f" - x_{u-1}_{a} = 0")
            rows.append(" + ".join(f"y_{u}_{b}_{a}" for b in D) + f" - x_{u}_{a} = 0")
    for u in range(n):
        rows.append(" + ".join(f"x_{u}_{a}" for a in D) + " = 1")
    rows.append("x_0_0 = 1")
    for a in D:
        rows.append(" + ".join(f"{p['weight'][u]} x_{u}_{a}" for u in range(n)) + f" <= {p['budget'][a]}")
    if p["objective"] != "revisits":
        for a in D:
            starts = [f"y_{u}_{b}_{a}" for u in range(1, n) for b in D if b != a]
            rows.append(" + ".join(starts + [f"x_0_{a}"]) + " <= 1")
    merged = {}
    for c, v in cost:
        merged[v] = merged.get(v, 0) + c
    total = " + ".join(f"{c} {v}" for v, c in merged.items())
    if p["objective"] == "throughput":
        rows.append(total + " - R <= 0")
        for a in D:
            rows.append(" + ".join(f"{k * p['time'][a][u]} x_{u}_{a}" for u in range(n)) + " - R <= 0")
            rows.append(f"{k * p['return'][a]} x_{n-1}_{a} - R <= 0")
            for b in D:
                if a != b:
                    rows.append(" + ".join(f"{k * p['link'][a][b]} y_{u}_{a}_{b}" for u in range(1, n)) + " - R <= 0")
        total = "R"
    binary = [f"x_{u}_{a}" for u in range(n) for a in D] + [f"y_{u}_{a}_{b}" for u in range(1, n) for a in D for b in D]
    return "Minimize\n obj: " + total + "\nSubject To\n" + "\n".join(f" c{i}: {r}" for i, r in enumerate(rows)) + "\nBinary\n " + "\n ".join(binary) + "\nEnd\n"


def solve(p):
    with tempfile.NamedTemporaryFile("w", suffix=".lp") as f:
        f.write(lp(p))
        f.flush()
        out = subprocess.run(["cbc", f.name, "ratioGap", "0", "allowableGap", "0", "solve"], capture_output=True, text=True, timeout=300).stdout
    if re.search(r"problem (is|proven) infeasible|proven infeasible", out, re.I):
        return -1
    assert "Optimal solution found" in out, out
    return round(float(re.search(r"Objective value:\s+([0-9.e+-]+)", out).group(1)))


made = []
for seed in range(45):
    p = instance(seed)
    p["optimum"] = solve(p)
    made.append(p)
print("[\n" + ",\n".join(json.dumps(p, separators=(",", ":")) for p in made) + "\n]")
