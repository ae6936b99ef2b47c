#include "textflag.h"

// func pauseCPU(rounds int)
TEXT ·pauseCPU(SB), NOSPLIT, $0-8
	MOVD rounds+0(FP), R0

again:
	YIELD
	SUBS $1, R0
	BNE  again
	RET

// func prefetch(p *byte, lines int)
TEXT ·prefetch(SB), NOSPLIT, $0-16
	MOVD p+0(FP), R0
	MOVD lines+8(FP), R1

next:
	SUBS $1, R1
	BLT  done
	PRFM (R0), PLDL2KEEP
	ADD  $64, R0
	B    next

done:
	RET
