// Command kernelgen writes the amd64 assembly of package kernel: inner loops
// for AVX2 with FMA and for AVX-512. It is run by go generate in that package.
package main

import (
	"flag"

	"github.com/mmcloughlin/avo/build"
)

func main() {
	isa := flag.String("isa", "avx512", "instruction set: avx2 or avx512")
	flag.Parse()
	switch *isa {
	case "avx2":
		avx2()
	case "avx512":
		avx512()
	}
	build.Generate()
}
