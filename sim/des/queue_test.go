package des_test

import (
	"testing"

	"pgregory.net/rapid"

	"github.com/edgeshard/edgeshard/sim/des"
)

func TestQueueAgainstSlice(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		var q des.Queue[int]
		var want []int
		for i, push := range rapid.SliceOf(rapid.Bool()).Draw(t, "pushes") {
			if push || len(want) == 0 {
				q.Push(i)
				want = append(want, i)
			} else {
				if got := q.Pop(); got != want[0] {
					t.Fatalf("Pop = %d, want %d", got, want[0])
				}
				want = want[1:]
			}
			if q.Len() != len(want) {
				t.Fatalf("Len = %d, want %d", q.Len(), len(want))
			}
		}
	})
}
