#include "textflag.h"

// func pauseCPU(rounds int)
TEXT ·pauseCPU(SB), NOSPLIT, $0-8
	MOVD rounds+0(FP), R0

again:
	YIELD
	SUBS $1, R0
	BNE  again
	RET
