package main

import (
	"bytes"
	"flag"
	"fmt"
	"os"
	"strings"
)

// neon writes the arm64 kernels. The Go assembler lacks most of the vector
// instructions they need, so that those are given as words, with their names
// beside them.
func neon() error {
	a := &arm{}
	for cols := 1; cols <= maxColsNEON; cols++ {
		floatNEON(a, "neonF32", cols, 64, func(a *arm, i, quarter, to int) {
			a.ldrQ(to, rW, 64*i+16*quarter)
		})
		floatNEON(a, "neonF16", cols, 32, func(a *arm, i, quarter, to int) {
			if quarter%2 == 0 {
				a.ldrQ(to, rW, 32*i+8*quarter)
				a.ldrQ(to+1, rW, 32*i+8*quarter)
				a.op(to, to, 0, fcvtl, "FCVTL V%d.4S, V%d.4H")
				a.op(to+1, to+1, 0, fcvtl2, "FCVTL2 V%d.4S, V%d.8H")
			}
		})
		bfloatNEON(a, "neonBF16", cols)
		quantNEON(a, "neonQ8", cols, q8NEON)
		quantNEON(a, "neonQ4", cols, q4NEON)
		quantNEON(a, "neonQ4K", cols, superNEON(false))
		quantNEON(a, "neonQ5K", cols, superNEON(true))
		quantNEON(a, "neonQ6K", cols, q6NEON)
	}
	return a.write(flag.Lookup("out").Value.String(), flag.Lookup("stubs").Value.String())
}

const maxColsNEON = 4

// Base encodings, registers zero.
const (
	fcvtl   = 0x0e217800
	fcvtl2  = 0x4e217800
	fmla    = 0x4e20cc00 // vector
	fmls    = 0x4ea0cc00
	fmlaAt  = 0x4f801000 // by element
	fmulAt  = 0x4f809000
	fmlsAt  = 0x4f805000
	fmul    = 0x6e20dc00
	scvtf   = 0x4e21d800
	sdotAt  = 0x4f80e000 // by element of 4 bytes
	eor     = 0x6e201c00
	and     = 0x4e201c00
	orr     = 0x4ea01c00
	mov     = 0x4ea01c00 // ORR of a register with itself
	dupByte = 0x4e010c00
	dupWord = 0x4e040c00
	uxtl8   = 0x2f08a400
	uxtl8b  = 0x6f08a400 // of the upper half
	uxtl16  = 0x2f10a400
	uxtl16b = 0x6f10a400
	sxtl8   = 0x0f08a400
	sxtl8b  = 0x4f08a400
	sxtl16  = 0x0f10a400
	sxtl16b = 0x4f10a400
	ld1r    = 0x4d40c800 // of words
)

// General registers.
const (
	rW      = 0
	rX      = 1 // and up, a column each
	rOut    = 5 // and up
	rSteps  = 9
	rStride = 10
	rTemp   = 11
	rLeft   = 12
	rHeader = 13
	rScales = 14
)

// arm is an assembly file in the making.
type arm struct {
	text, stubs bytes.Buffer
	labels      int
}

func (a *arm) line(format string, args ...any) { fmt.Fprintf(&a.text, "\t"+format+"\n", args...) }

func (a *arm) word(w uint32, name string) { a.line("WORD $0x%08x // %s", w, name) }

// op emits an instruction of a destination and one or two sources; format names
// the registers that it has.
func (a *arm) op(d, n, m int, base uint32, format string) {
	regs := []any{d, n, m}[:strings.Count(format, "%d")]
	a.word(base|uint32(m)<<16|uint32(n)<<5|uint32(d), fmt.Sprintf(format, regs...))
}

// at emits an instruction by element i of m.
func (a *arm) at(d, n, m, i int, base uint32, name string) {
	w := base | uint32(i&1)<<21 | uint32(m)<<16 | uint32(i>>1)<<11 | uint32(n)<<5 | uint32(d)
	a.word(w, fmt.Sprintf("%s V%d, V%d, V%d[%d]", name, d, n, m+16, i))
}

func (a *arm) ldrQ(to, base, disp int) {
	if disp%16 != 0 {
		panic("unaligned displacement")
	}
	a.word(0x3dc00000|uint32(disp/16)<<10|uint32(base)<<5|uint32(to), fmt.Sprintf("LDR Q%d, [X%d, #%d]", to, base, disp))
}

func (a *arm) strQ(from, base, disp int) {
	a.word(0x3d800000|uint32(disp/16)<<10|uint32(base)<<5|uint32(from), fmt.Sprintf("STR Q%d, [X%d, #%d]", from, base, disp))
}

func (a *arm) ldrS(to, base, disp int) {
	a.word(0xbd400000|uint32(disp/4)<<10|uint32(base)<<5|uint32(to), fmt.Sprintf("LDR S%d, [X%d, #%d]", to, base, disp))
}

func (a *arm) zero(v int) { a.op(v, v, v, eor, "EOR V%d.16B, V%d.16B, V%d.16B") }

// broadcast fills v with the byte.
func (a *arm) broadcast(v int, b uint32) {
	a.line("MOVW $0x%x, R%d", b, rTemp)
	a.op(v, rTemp, 0, dupByte, "DUP V%d.16B, W%d")
}

// shift emits a shift of bytes by a constant, to the right if it is negative.
func (a *arm) shift(d, n, by int) {
	if by < 0 {
		a.word(0x6f000400|uint32(16+by)<<16|uint32(n)<<5|uint32(d), fmt.Sprintf("USHR V%d.16B, V%d.16B, #%d", d, n, -by))
	} else if by > 0 {
		a.word(0x4f005400|uint32(8+by)<<16|uint32(n)<<5|uint32(d), fmt.Sprintf("SHL V%d.16B, V%d.16B, #%d", d, n, by))
	}
}

// begin starts a tile of one panel and loads its arguments: a register for each
// column and each row of the result.
func (a *arm) begin(name string, cols int) {
	name = fmt.Sprintf("%sP1C%d", name, cols)
	fmt.Fprintf(&a.stubs, "\n// %s computes a tile of 1 panel × %d activation rows.\n//\n//go:noescape\n%s\n", name, cols, strings.Replace(tileSignature, "func", "func "+name, 1))
	fmt.Fprintf(&a.text, "\n// %s\nTEXT ·%s(SB), NOSPLIT, $0-64\n", strings.Replace(tileSignature, "func", "func "+name, 1), name)
	a.line("MOVD w+0(FP), R%d", rW)
	a.columns(rX, "x+16(FP)", "xs+24(FP)", cols)
	a.columns(rOut, "out+32(FP)", "os+40(FP)", cols)
	a.line("MOVD steps+48(FP), R%d", rSteps)
	a.line("MOVD fresh+56(FP), R%d", rTemp)
}

func (a *arm) columns(first int, base, stride string, cols int) {
	a.line("MOVD %s, R%d", base, first)
	a.line("MOVD %s, R%d", stride, rStride)
	for c := 1; c < cols; c++ {
		a.line("ADD R%d, R%d, R%d", rStride, first+c-1, first+c)
	}
}

func (a *arm) label() string {
	a.labels++
	return fmt.Sprintf("l%d", a.labels)
}

// loop runs body while at least n steps are left.
func (a *arm) loop(n int, body func()) {
	start, end := a.label(), a.label()
	fmt.Fprintf(&a.text, "%s:\n", start)
	a.line("CMP $%d, R%d", n, rSteps)
	a.line("BLT %s", end)
	body()
	a.line("SUB $%d, R%d", n, rSteps)
	a.line("B %s", start)
	fmt.Fprintf(&a.text, "%s:\n", end)
}

// repeat runs body n times.
func (a *arm) repeat(n int, body func()) {
	start := a.label()
	a.line("MOVD $%d, R%d", n, rLeft)
	fmt.Fprintf(&a.text, "%s:\n", start)
	body()
	a.line("SUBS $1, R%d", rLeft)
	a.line("BNE %s", start)
}

func (a *arm) advance(reg, by int) { a.line("ADD $%d, R%d", by, reg) }

// each emits code for the quarters of the panel and the columns.
func each(cols int, body func(quarter, c int)) {
	for quarter := range 4 {
		for c := range cols {
			body(quarter, c)
		}
	}
}

func (a *arm) write(out, stubs string) error {
	header := "// Code generated by command: go run ./kernelgen -isa neon. DO NOT EDIT.\n\n"
	text := header + "#include \"textflag.h\"\n" + a.text.String()
	if err := os.WriteFile(out, []byte(text), 0o644); err != nil {
		return err
	}
	return os.WriteFile(stubs, []byte(header+"package kernel\n"+a.stubs.String()), 0o644)
}
