//go:build unix

package exec

import (
	"testing"
	"time"
)

// Of two holders of the lock one waits for the other, gives up when it must, and
// does not keep a turn that came too late.
func TestTurns(t *testing.T) {
	a, b := newTurns(), newTurns()
	if a == nil || b == nil {
		t.Skip("the test's own file cannot be opened")
	}
	defer a.close()
	defer b.close()
	release, ok := a.take(t.Context(), time.Minute)
	if !ok {
		t.Fatal("no turn though nobody has it")
	}
	if _, ok := b.take(t.Context(), time.Millisecond); ok {
		t.Fatal("two have the turn")
	}
	if _, ok := b.take(t.Context(), time.Minute); ok {
		t.Fatal("a turn while the attempt before still waits")
	}
	release()
	for deadline := time.Now().Add(time.Minute); ; {
		if time.Now().After(deadline) {
			t.Fatal("the turn that came too late was kept")
		}
		if release, ok := b.take(t.Context(), time.Second); ok { // its first attempt has come and gone
			release()
			break
		}
	}
	release, _ = a.take(t.Context(), time.Minute)
	got := make(chan bool)
	go func() {
		_, ok := b.take(t.Context(), time.Minute)
		got <- ok
	}()
	release()
	if !<-got {
		t.Error("no turn after it was given back")
	}
}
