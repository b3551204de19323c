package store

import (
	"cmp"
	"errors"
	"fmt"
	"time"

	"github.com/imprompt/imprompt/loader"
)

// patience decides whether a request that failed is made again, and when.
type patience struct {
	failures int       // in a row, without worthwhile progress
	asked    int       // how often the server asked to wait
	reached  bool      // the server was reached before: it is there
	since    time.Time // of the first failure in a row to reach it
	most     int       // failures in a row; 0 for mostFailures
}

const (
	// worthwhile is how many bytes make an attempt worth another: a server that sends one
	// byte and cuts is given up.
	worthwhile = 64 << 10
	// mostFailures are the attempts in a row that may fail, mostAsked those after which the
	// server asked to wait.
	mostFailures = 6
	mostAsked    = 20
	// A server that was reached is tried for this long: the network may come back.
	mostUnreached = 10 * time.Minute
	// No server is waited for longer than this, whatever it asks for.
	mostWait = 15 * time.Minute
)

// gained tells of bytes that came.
func (p *patience) gained(n int64) {
	p.reached = p.reached || n > 0
	if n >= worthwhile {
		*p = patience{reached: true, most: p.most}
	}
}

// next is how long to wait before the next attempt after err, or the error to give up
// with.
func (p *patience) next(err error, now time.Time) (time.Duration, error) {
	var t loader.Transient
	if !errors.As(err, &t) {
		return 0, err
	}
	if !t.Unreachable {
		p.reached = true
	}
	switch {
	case t.Wait > mostWait:
		return 0, fmt.Errorf("%w (the server asks to wait for %s)", err, longTime(t.Wait))
	case t.Wait > 0:
		p.asked++
		if p.asked > mostAsked {
			return 0, err
		}
		return t.Wait, nil
	case t.Unreachable && p.reached:
		if p.since.IsZero() {
			p.since = now
		}
		if now.Sub(p.since) > mostUnreached {
			return 0, err
		}
	case p.failures >= cmp.Or(p.most, mostFailures):
		return 0, err
	}
	wait := min(250*time.Millisecond<<min(p.failures, 10), 30*time.Second)
	p.failures++
	return wait, nil
}

func longTime(d time.Duration) string {
	if d < 2*time.Hour {
		return fmt.Sprintf("%d minutes", int(d.Minutes()+0.5))
	}
	return fmt.Sprintf("%d hours", int(d.Hours()+0.5))
}

// waitText is what is shown while an attempt is waited for.
func waitText(err error, left time.Duration) string {
	seconds := int((left + time.Second - 1) / time.Second)
	var t loader.Transient
	switch {
	case errors.As(err, &t) && t.Wait > 0:
		return fmt.Sprintf("The server asks to wait: it goes on in %s", clockText(seconds))
	case errors.As(err, &t) && t.Unreachable:
		return fmt.Sprintf("The server cannot be reached: the next attempt is in %s", clockText(seconds))
	}
	return fmt.Sprintf("The connection broke off: the next attempt is in %s", clockText(seconds))
}

func clockText(seconds int) string {
	if seconds < 90 {
		return fmt.Sprintf("%d s", seconds)
	}
	return fmt.Sprintf("%d min %d s", seconds/60, seconds%60)
}
