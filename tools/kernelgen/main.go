// Command kernelgen writes the assembly of package kernel: inner loops for AVX2
// with FMA, AVX-512 and NEON. It is run by go generate in that package.
package main

import (
	"flag"
	"log"

	"github.com/mmcloughlin/avo/build"
)

func main() {
	isa := flag.String("isa", "", "instruction set: avx2, avx512 or neon")
	flag.Parse()
	switch *isa {
	case "avx2":
		avx2()
		build.Generate()
	case "avx512":
		avx512()
		build.Generate()
	case "neon":
		if err := neon(); err != nil {
			log.Fatal(err)
		}
	default:
		log.Fatalf("-isa is %q: want avx2, avx512 or neon", *isa)
	}
}
