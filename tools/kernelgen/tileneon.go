package main

// accNEON is the register of the sums of a quarter of the panel, 4 rows, in a
// column.
func accNEON(quarter, c int) int { return 4*c + quarter }

// beginAcc loads the sums unless they are fresh.
func (a *arm) beginAcc(cols int) {
	begun := a.label()
	each(cols, func(q, c int) { a.zero(accNEON(q, c)) })
	a.line("CBNZ R%d, %s", rTemp, begun)
	each(cols, func(q, c int) { a.ldrQ(accNEON(q, c), rOut+c, 16*q) })
	a.text.WriteString(begun + ":\n")
}

func (a *arm) endAcc(cols int) {
	each(cols, func(q, c int) { a.strQ(accNEON(q, c), rOut+c, 16*q) })
	a.line("RET")
}

// floatNEON writes a tile for weights of size bytes a step: load fills register
// to with a quarter of step i's.
func floatNEON(a *arm, name string, cols, size int, load func(a *arm, i, quarter, to int)) {
	const w, x = 16, 24
	a.begin(name, cols)
	a.beginAcc(cols)
	step := func(i, element int) {
		for q := range 4 {
			load(a, i, q, w+q)
		}
		each(cols, func(q, c int) { a.at(accNEON(q, c), w+q, x+c-16, element, fmlaAt|1<<20, "FMLA") })
	}
	a.loop(4, func() {
		for c := range cols {
			a.ldrQ(x+c, rX+c, 0)
			a.advance(rX+c, 16)
		}
		for i := range 4 {
			step(i, i)
		}
		a.advance(rW, 4*size)
	})
	a.loop(1, func() {
		for c := range cols {
			a.ldrS(x+c, rX+c, 0)
			a.advance(rX+c, 4)
		}
		step(0, 0)
		a.advance(rW, size)
	})
	a.endAcc(cols)
}

// bfloatNEON widens pairs of bfloat16 and adds the odd element first.
func bfloatNEON(a *arm, name string, cols int) {
	const even, odd, x, y, upper = 16, 20, 24, 28, 29
	const shl16 = 0x4f305400
	a.begin(name, cols)
	a.beginAcc(cols)
	a.line("MOVW $0xffff0000, R%d", rTemp)
	a.op(upper, rTemp, 0, dupWord, "DUP V%d.4S, W%d")
	a.loop(1, func() {
		for q := range 4 {
			a.ldrQ(even+q, rW, 16*q)
			a.op(odd+q, even+q, upper, and, "AND V%d.16B, V%d.16B, V%d.16B")
			a.op(even+q, even+q, 0, shl16, "SHL V%d.4S, V%d.4S, #16")
		}
		for c := range cols {
			a.op(x, rX+c, 0, ld1r, "LD1R V%d.4S, [X%d]")
			a.op(y, x, upper, and, "AND V%d.16B, V%d.16B, V%d.16B")
			a.op(x, x, 0, shl16, "SHL V%d.4S, V%d.4S, #16")
			for q := range 4 {
				a.op(accNEON(q, c), odd+q, y, fmla, "FMLA V%d.4S, V%d.4S, V%d.4S")
				a.op(accNEON(q, c), even+q, x, fmla, "FMLA V%d.4S, V%d.4S, V%d.4S")
			}
			a.advance(rX+c, 4)
		}
		a.advance(rW, 64)
	})
	a.endAcc(cols)
}
