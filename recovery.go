package edgeshard

import "time"

// A recoveryTally is what is known of the recovery from a device's death.
type recoveryTally struct {
	device, to     int  // to: where it was a link; else -1
	over           bool // what follows is none of it
	died, known    time.Duration
	planned        time.Duration // when there was a new plan
	loaded         time.Duration // when the last weights were there
	rebuild, built time.Duration // start of the first pass that rebuilds, end of the last
	lost           time.Duration
}

// recovering takes into account a span of a recovery: of the last one. What was
// lost is told before the new plan, what is loaded without a death is no recovery.
func (r *Recorder) recovering(s Span) {
	if len(r.recovery) == 0 {
		return
	}
	t := &r.recovery[len(r.recovery)-1]
	if t.over {
		return
	}
	switch s.What {
	case Migrate:
		t.over = true
	case Lost:
		t.lost += s.End - s.Start
	case Replan:
		t.planned = s.End
	case Load:
		t.loaded = max(t.loaded, s.End)
	case Rebuild:
		if t.built == 0 {
			t.rebuild = s.Start
		}
		t.rebuild, t.built = min(t.rebuild, s.Start), max(t.built, s.End)
	}
}

func (t *recoveryTally) report(name func(device int) string) RecoveryReport {
	to := ""
	if t.to >= 0 {
		to = name(t.to)
	}
	return RecoveryReport{
		Device: name(t.device), To: to, AtS: t.died.Seconds(), DetectionMS: Milliseconds(t.known - t.died),
		ReplanMS: Milliseconds(max(t.planned-t.known, 0)), LoadMS: Milliseconds(max(t.loaded-max(t.planned, t.known), 0)),
		RebuildMS: Milliseconds(t.built - t.rebuild), LostMS: Milliseconds(t.lost),
	}
}
