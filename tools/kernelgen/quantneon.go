package main

// Registers of the quantised tiles. The integer sums take 0 to 15; the f32 sums
// stay in memory, in the rows of the result.
const (
	vX      = 16 // and up: the 32 activations of a column's record, two registers each
	vW      = 24
	vBits   = 25
	vScale  = 26 // and up: the scales of the panel's quarters
	vTemp   = 30
	vNibble = 31 // 0x0f in every byte, or 0x80 for Q8_0
)

// quantNEON writes a tile of quantised weights: block emits a step.
func quantNEON(a *arm, name string, cols int, block func(a *arm, cols int)) {
	a.begin(name, cols)
	begun := a.label()
	a.line("CBZ R%d, %s", rTemp, begun)
	a.zero(vTemp)
	each(cols, func(q, c int) { a.strQ(vTemp, rOut+c, 16*q) })
	a.text.WriteString(begun + ":\n")
	mask := uint32(0x0f)
	if name == "neonQ8" {
		mask = 0x80
	}
	a.broadcast(vNibble, mask)
	a.loop(1, func() { block(a, cols) })
	a.line("RET")
}

// start loads the records and sets the integer sums to their bias, if there is one.
func (a *arm) start(cols, bias int) {
	for c := range cols {
		a.ldrQ(vX+2*c, rX+c, 0)
		a.ldrQ(vX+2*c+1, rX+c, 16)
		if bias == 0 {
			continue
		}
		a.line("ADD $%d, R%d, R%d", bias, rX+c, rTemp)
		for q := range 4 {
			a.op(accNEON(q, c), rTemp, 0, ld1r, "LD1R V%d.4S, [X%d]")
		}
	}
	if bias == 0 {
		each(cols, func(q, c int) { a.zero(accNEON(q, c)) })
	}
}

// dot adds the products of groups [lo, hi) of 4 columns; unpack fills vW.
func (a *arm) dot(cols, lo, hi int, unpack func(group, quarter int)) {
	for g := lo; g < hi; g++ {
		for q := range 4 {
			unpack(g, q)
			for c := range cols {
				a.at(accNEON(q, c), vW, vX+2*c+g/4-16, g%4, sdotAt|1<<20, "SDOT")
			}
		}
	}
}

// scale adds the integer sums to the f32 sums, times the scales in vScale and
// the columns'.
func (a *arm) scale(cols int) {
	for c := range cols {
		a.ldrS(vTemp, rX+c, recordScale)
		for q := range 4 {
			sum := accNEON(q, c)
			a.op(sum, sum, 0, scvtf, "SCVTF V%d.4S, V%d.4S")
			a.at(vW, vScale+q, vTemp-16, 0, fmulAt|1<<20, "FMUL")
			a.ldrQ(vBits, rOut+c, 16*q)
			a.op(vBits, sum, vW, fmla, "FMLA V%d.4S, V%d.4S, V%d.4S")
			a.strQ(vBits, rOut+c, 16*q)
		}
	}
}

// subtract subtracts the minima in vScale times the columns' sums.
func (a *arm) subtract(cols int) {
	for c := range cols {
		a.ldrS(vTemp, rX+c, recordSum)
		for q := range 4 {
			a.ldrQ(vBits, rOut+c, 16*q)
			a.at(vBits, vScale+q, vTemp-16, 0, fmlsAt|1<<20, "FMLS")
			a.strQ(vBits, rOut+c, 16*q)
		}
	}
}

func (a *arm) nextRecord(cols int) {
	for c := range cols {
		a.advance(rX+c, recordBytes)
	}
}

// halves fills vScale with the 16 f16 scales at disp.
func (a *arm) halves(base, disp int) {
	for i := range 2 {
		lo := vScale + 2*i
		a.ldrQ(lo+1, base, disp+16*i)
		a.op(lo, lo+1, 0, fcvtl, "FCVTL V%d.4S, V%d.4H")
		a.op(lo+1, lo+1, 0, fcvtl2, "FCVTL2 V%d.4S, V%d.8H")
	}
}

func q8NEON(a *arm, cols int) {
	a.start(cols, 0)
	a.dot(cols, 0, 8, func(g, q int) {
		a.ldrQ(vW, rW, 32+64*g+16*q)
		a.op(vW, vW, vNibble, eor, "EOR V%d.16B, V%d.16B, V%d.16B")
	})
	a.halves(rW, 0)
	a.scale(cols)
	a.nextRecord(cols)
	a.advance(rW, blockQ8.size)
}

func q4NEON(a *arm, cols int) {
	a.start(cols, biasQ4)
	a.dot(cols, 0, 8, func(g, q int) { a.nibble(32+64*(g%4)+16*q, g >= 4) })
	a.halves(rW, 0)
	a.scale(cols)
	a.nextRecord(cols)
	a.advance(rW, blockQ4.size)
}

// nibble fills vW with the low or the high four bits of the bytes at disp.
func (a *arm) nibble(disp int, high bool) {
	a.ldrQ(vW, rW, disp)
	if high {
		a.shift(vW, vW, -4)
	} else {
		a.op(vW, vW, vNibble, and, "AND V%d.16B, V%d.16B, V%d.16B")
	}
}

// superNEON is Q4_K, or with fifth bits Q5_K; see superblock512.go.
func superNEON(fifth bool) func(a *arm, cols int) {
	return func(a *arm, cols int) {
		nibbles := 0
		if fifth {
			nibbles = pairBits
		}
		a.enter(superPairs)
		a.repeat(4, func() {
			for high := range 2 {
				a.start(cols, 0)
				a.dot(cols, 0, 8, func(g, q int) {
					a.nibble(nibbles+64*g+16*q, high == 1)
					if fifth {
						a.fifthBit(64*high+16*q, g)
					}
				})
				a.byteScales(0, superScales+16*high, uxtl8, uxtl8b, uxtl16, uxtl16b)
				a.scale(cols)
				a.byteScales(superMin, superMins+16*high, uxtl8, uxtl8b, uxtl16, uxtl16b)
				a.subtract(cols)
				a.nextRecord(cols)
			}
			a.advance(rW, nibbles+pairNibbles)
			a.advance(rScales, 32)
		})
	}
}

func (a *arm) enter(quants int) {
	a.line("MOVD R%d, R%d", rW, rHeader)
	a.line("MOVD R%d, R%d", rW, rScales)
	a.advance(rW, quants)
}

// fifthBit adds a group's fifth bits: those of bit number group at disp.
func (a *arm) fifthBit(disp, group int) {
	a.ldrQ(vBits, rW, disp)
	a.shift(vBits, vBits, 4-group)
	a.line("MOVW $0x10, R%d", rTemp)
	a.op(vTemp, rTemp, 0, dupByte, "DUP V%d.16B, W%d")
	a.op(vBits, vBits, vTemp, and, "AND V%d.16B, V%d.16B, V%d.16B")
	a.op(vW, vW, vBits, orr, "ORR V%d.16B, V%d.16B, V%d.16B")
}

// byteScales fills vScale with 16 bytes at disp from rScales times the f16
// scales in the header.
func (a *arm) byteScales(scale, disp int, low8, high8, low16, high16 uint32) {
	a.halves(rHeader, scale)
	a.ldrQ(vTemp, rScales, disp)
	for i, widen8 := range []uint32{low8, high8} {
		for j, widen16 := range []uint32{low16, high16} {
			a.op(vW, vTemp, 0, widen8, "XTL V%d.8H, V%d")
			a.op(vW, vW, 0, widen16, "XTL V%d.4S, V%d")
			a.op(vW, vW, 0, scvtf, "SCVTF V%d.4S, V%d.4S")
			to := vScale + 2*i + j
			a.op(to, vW, to, fmul, "FMUL V%d.4S, V%d.4S, V%d.4S")
		}
	}
}

func q6NEON(a *arm, cols int) {
	a.enter(q6Quants)
	a.repeat(2, func() {
		for block := range 4 {
			for part := range 2 {
				a.start(cols, biasQ6+4*part)
				a.dot(cols, 4*part, 4*part+4, func(g, q int) { a.sixBits(block, g, q) })
				a.byteScales(0, q6Scales+16*(2*block+part), sxtl8, sxtl8b, sxtl16, sxtl16b)
				a.scale(cols)
			}
			a.nextRecord(cols)
		}
		a.advance(rW, q6Half)
		a.advance(rScales, 8*16)
	})
}

func (a *arm) sixBits(block, g, q int) {
	a.nibble(512*(block%2)+64*g+16*q, block >= 2)
	a.ldrQ(vBits, rW, q6Upper+64*g+16*q)
	a.shift(vBits, vBits, 4-2*block)
	a.line("MOVW $0x30, R%d", rTemp)
	a.op(vTemp, rTemp, 0, dupByte, "DUP V%d.16B, W%d")
	a.op(vBits, vBits, vTemp, and, "AND V%d.16B, V%d.16B, V%d.16B")
	a.op(vW, vW, vBits, orr, "ORR V%d.16B, V%d.16B, V%d.16B")
}
