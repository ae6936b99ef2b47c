#include "textflag.h"

// func pauseCPU(rounds int)
TEXT ·pauseCPU(SB), NOSPLIT, $0-8
	MOVQ rounds+0(FP), AX

again:
	PAUSE
	DECQ AX
	JNZ  again
	RET
