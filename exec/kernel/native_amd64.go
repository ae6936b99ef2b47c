package kernel

import "golang.org/x/sys/cpu"

func nativePaths() (paths []*Path) {
	x := &cpu.X86
	if x.HasAVX2 && x.HasFMA && x.HasF16C {
		paths = append(paths, avx2)
	}
	if x.HasAVX512F && x.HasAVX512BW && x.HasAVX512VL && x.HasAVX512DQ && x.HasAVX512VNNI && x.HasAVX512BF16 {
		paths = append(paths, avx512)
	}
	return paths
}
