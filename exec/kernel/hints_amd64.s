#include "textflag.h"

// func pauseCPU(rounds int)
TEXT ·pauseCPU(SB), NOSPLIT, $0-8
	MOVQ rounds+0(FP), AX

again:
	PAUSE
	DECQ AX
	JNZ  again
	RET

// func prefetch(p *byte, lines int)
TEXT ·prefetch(SB), NOSPLIT, $0-16
	MOVQ p+0(FP), AX
	MOVQ lines+8(FP), CX

next:
	SUBQ $1, CX
	JLT  done
	PREFETCHT1 (AX)
	ADDQ $64, AX
	JMP  next

done:
	RET
