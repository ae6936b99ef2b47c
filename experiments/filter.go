package experiments

import (
	"fmt"

	"github.com/expr-lang/expr"
	"github.com/expr-lang/expr/vm"
)

// A filter is conditions such as "batch % micro_batch == 0", in the language of
// github.com/expr-lang/expr; a column whose name is no identifier is $env["name"].
type filter struct {
	texts    []string
	programs []*vm.Program
}

func newFilter(conditions []string) (*filter, error) {
	f := &filter{texts: conditions}
	for _, text := range conditions {
		p, err := expr.Compile(text, expr.AsBool(), expr.Env(map[string]any{}), expr.AllowUndefinedVariables())
		if err != nil {
			return nil, fmt.Errorf("%q: %s", text, firstLine(err))
		}
		f.programs = append(f.programs, p)
	}
	return f, nil
}

// holds tells whether all conditions are true of a row's columns.
func (f *filter) holds(columns map[string]any) (bool, error) {
	for i, p := range f.programs {
		v, err := expr.Run(p, columns)
		if err != nil {
			return false, fmt.Errorf("%q: %s", f.texts[i], firstLine(err))
		}
		if ok, isBool := v.(bool); !isBool {
			return false, fmt.Errorf("%q is %v: want a truth value (is every column spelt right?)", f.texts[i], v)
		} else if !ok {
			return false, nil
		}
	}
	return true, nil
}
