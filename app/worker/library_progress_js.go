//go:build js && wasm

package worker

import (
	"time"

	"github.com/imprompt/imprompt/app/protocol"
	"github.com/imprompt/imprompt/loader/store"
)

// reporter tells the page of a request's progress a few times a second, with the speed of the last seconds.
func (l *library) reporter(request int) func(id string, p store.Progress) {
	type sample struct {
		at   time.Time
		done int64
	}
	var seen []sample
	note := "" // the last one told
	return func(id string, p store.Progress) {
		now := time.Now()
		if n := len(seen); n > 0 && now.Sub(seen[n-1].at) < 250*time.Millisecond && p.Done < p.Total && !p.Waiting && p.Note == note {
			return
		}
		note = p.Note
		if n := len(seen); n > 0 && p.Done < seen[n-1].done {
			seen = nil // it has begun again
		}
		seen = append(seen, sample{now, p.Done})
		for len(seen) > 2 && now.Sub(seen[0].at) > 8*time.Second {
			seen = seen[1:]
		}
		speed, left := 0.0, 0.0
		if t := now.Sub(seen[0].at).Seconds(); t > 0 {
			speed = float64(p.Done-seen[0].done) / t
		}
		if speed > 0 {
			left = float64(p.Total-p.Done) / speed
		}
		l.desk.Answer(request, protocol.Moved{Record: id, Progress: p, Speed: speed, Left: left})
	}
}
