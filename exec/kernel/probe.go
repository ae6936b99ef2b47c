package kernel

import (
	"runtime"
	"time"
	"unsafe"
)

// probes measure the limits of a CPU with a path's instructions.
type probes struct {
	read []func(p *byte, blocks int) // ways to read blocks of 512 bytes, a multiple of 4
	peak []peakProbe
}

// A peakProbe runs rounds of 12 independent instructions.
type peakProbe struct {
	name string
	ops  float64 // operations of an instruction, a multiply-add counting two
	run  func(rounds int)
}

const (
	readBlock  = 512
	readPiece  = 1 << 20 // bytes that a thread reads at a time
	peakChains = 12
	peakRounds = 1 << 14
)

// A Peak is a rate of arithmetic.
type Peak struct {
	Name      string  `json:"name"`
	OpsPerSec float64 `json:"ops_per_s"`
}

// Bandwidth reads buffer, in huge pages or not, on all threads of the pool, once
// in each way that the path knows: as one stream, and as several side by side,
// like its kernels. It returns the bytes per second of the best.
func (p *Path) Bandwidth(pool *Pool, buffer []byte) (best float64) {
	pool.Acquire()
	defer pool.Yield()
	if len(p.probes.read) == 0 {
		return bandwidth(pool, buffer, plainRead)
	}
	for _, read := range p.probes.read {
		best = max(best, bandwidth(pool, buffer, read))
	}
	return best
}

func bandwidth(pool *Pool, buffer []byte, read func(p *byte, blocks int)) float64 {
	pieces := len(buffer) / readPiece
	start := time.Now()
	pool.Run(pieces, func(_, i int) { read(&buffer[i*readPiece], readPiece/readBlock) })
	return float64(pieces*readPiece) / time.Since(start).Seconds()
}

func plainRead(p *byte, blocks int) {
	var a, b, c, d uint64
	words := unsafe.Slice((*uint64)(unsafe.Pointer(p)), blocks*readBlock/8)
	for i := 0; i < len(words); i += 4 {
		w := words[i : i+4 : i+4]
		a, b, c, d = a|w[0], b|w[1], c|w[2], d|w[3]
	}
	runtime.KeepAlive(a | b | c | d)
}

// Peaks measures the rates of the path's multiply-adds on all threads of the
// pool, for some milliseconds each. The plain path has none.
func (p *Path) Peaks(pool *Pool) (peaks []Peak) {
	pool.Acquire()
	defer pool.Yield()
	tasks := 16 * pool.Threads()
	for _, probe := range p.probes.peak {
		start := time.Now()
		pool.Run(tasks, func(_, _ int) { probe.run(peakRounds) })
		ops := float64(tasks) * peakRounds * peakChains * probe.ops
		peaks = append(peaks, Peak{probe.name, ops / time.Since(start).Seconds()})
	}
	return peaks
}
