package main

import (
	. "github.com/mmcloughlin/avo/build"
	. "github.com/mmcloughlin/avo/operand"
	"github.com/mmcloughlin/avo/reg"
)

// Probes measure what the CPU can do at best: probeChains independent chains of
// one instruction, and reads that nothing waits for.
const probeChains = 12

func probes512() {
	or := func(m Mem, v reg.Register) { VPORD(m, v, v) }
	read("zmmRead", zs, 64, or)
	readStreams("zmmReadStreams", zs, 64, or)
	peak("zmmPeakF32", zs, func(acc int) { VFMADD231PS(zs[30], zs[31], zs[acc]) })
	peak("zmmPeakInt8", zs, func(acc int) { VPDPBUSD(zs[30], zs[31], zs[acc]) })
	peak("zmmPeakBF16", zs, func(acc int) { dotBF16(30, 31, acc) })
}

func probes256() {
	or := func(m Mem, v reg.Register) { VPOR(m, v, v) }
	read("ymmRead", ys, 32, or)
	readStreams("ymmReadStreams", ys, 32, or)
	peak("ymmPeakF32", ys, func(acc int) { VFMADD231PS(ys[14], ys[15], ys[acc]) })
	peak("ymmPeakInt8", ys, func(acc int) { VPMADDUBSW(ys[14], ys[15], ys[acc]) })
}

// clearAll zeroes registers.
func clearAll(v []reg.VecPhysical) {
	for _, r := range v {
		if r.Size() == 64 {
			VPXORD(r, r, r)
		} else {
			VPXOR(r, r, r)
		}
	}
}

func read(name string, v []reg.VecPhysical, size int, or func(m Mem, v reg.Register)) {
	text(name, "func(p *byte, blocks int)", "reads blocks of 512 bytes.")
	p, n := load("p"), load("blocks")
	blocks(n, "block", func() {
		for i := range 512 / size {
			or(Mem{Base: p, Disp: i * size}, v[i%8])
		}
		ADDQ(U32(512), p)
	})
	VZEROUPPER()
	RET()
}

// readStreams writes a read of four streams side by side, each asked for ahead, as
// the tiles of few rows do.
func readStreams(name string, v []reg.VecPhysical, size int, or func(m Mem, v reg.Register)) {
	text(name, "func(p *byte, blocks int)", "reads a quarter of the blocks of 512 bytes in each of four streams.")
	const streams, line = 4, 64
	p, n, stride := load("p"), load("blocks"), GP64()
	SHRQ(Imm(2), n)
	MOVQ(n, stride)
	SHLQ(Imm(9), stride)
	rows := newStrided(p, stride, streams)
	blocks(n, "block", func() {
		for i := 0; i < 512; i += line {
			for s := range streams {
				PREFETCHT0(rows.at(s, i+8192/streams))
				for j := i; j < i+line; j += size {
					or(rows.at(s, j), v[(streams*j/size+s)%8])
				}
			}
		}
		rows.skip(512)
	})
	VZEROUPPER()
	RET()
}

func peak(name string, v []reg.VecPhysical, instruction func(acc int)) {
	text(name, "func(rounds int)", "runs rounds of 12 independent instructions.")
	n := load("rounds")
	clearAll(v[:probeChains])
	clearAll(v[len(v)-2:])
	blocks(n, "round", func() {
		for acc := range probeChains {
			instruction(acc)
		}
	})
	VZEROUPPER()
	RET()
}
