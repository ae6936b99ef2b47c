package models

import (
	"fmt"
	"strings"
)

// ggmlFormats gives a precision's number as a tensor's type and as
// general.file_type.
var ggmlFormats = map[Precision]struct{ tensor, file uint32 }{
	F32: {0, 0}, F16: {1, 1}, Q4_0: {2, 2}, Q8_0: {8, 7}, BF16: {30, 32},
	Q4_K: {12, 14}, Q5_K: {13, 16}, Q6_K: {14, 18},
}

// ggmlOthers names the types that we do not compute with, for errors.
var ggmlOthers = map[uint32]string{
	3: "Q4_1", 6: "Q5_0", 7: "Q5_1", 9: "Q8_1", 10: "Q2_K", 11: "Q3_K", 15: "Q8_K",
	16: "IQ2_XXS", 17: "IQ2_XS", 18: "IQ3_XXS", 19: "IQ1_S", 20: "IQ4_NL", 21: "IQ3_S", 22: "IQ2_S", 23: "IQ4_XS",
	24: "I8", 25: "I16", 26: "I32", 27: "I64", 28: "F64", 29: "IQ1_M", 34: "TQ1_0", 35: "TQ2_0", 39: "MXFP4",
}

// ggmlPrecision returns the precision of a tensor's type.
func ggmlPrecision(kind uint32) (Precision, error) {
	var names []string
	for _, p := range Precisions() {
		if ggmlFormats[p].tensor == kind {
			return p, nil
		}
		names = append(names, p.String())
	}
	name, ok := ggmlOthers[kind]
	if !ok {
		name = fmt.Sprintf("of type %d", kind)
	}
	return 0, fmt.Errorf("is %s, which is not supported: want one of %s", name, strings.Join(names, ", "))
}
