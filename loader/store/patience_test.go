package store

import (
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/imprompt/imprompt/loader"
)

var (
	cut     = loader.Broken(errors.New("cut"))
	now     = time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	gone    = loader.Answer{Failed: "Failed to fetch"}.Check("https://x.example/a")
	limited = func(seconds string) error {
		return loader.Answer{Status: 429, Headers: map[string]string{"retry-after": seconds}}.Check("https://x.example/a")
	}
)

// tries counts the attempts until err is given up with, and how long they take.
func tries(p *patience, err error, gain int64) (n int, total time.Duration, last error) {
	for ; n < 1000; n++ {
		wait, e := p.next(err, now.Add(total))
		if e != nil {
			return n, total, e
		}
		total += wait
		p.gained(gain)
	}
	return n, total, nil
}

func TestPatience(t *testing.T) {
	if n, _, err := tries(&patience{}, cut, 1); n != mostFailures || err == nil {
		t.Errorf("a server that drips one byte and cuts: %d attempts, %v", n, err)
	}
	if n, _, _ := tries(&patience{}, cut, worthwhile); n != 1000 {
		t.Errorf("a server that sends 64 kB and cuts: %d attempts", n)
	}
	if n, total, err := tries(&patience{}, gone, 0); n != mostFailures || total > time.Minute || err == nil {
		t.Errorf("a server that was never there: %d attempts in %v, %v", n, total, err)
	}
	if _, total, err := tries(&patience{reached: true}, gone, 0); total < mostUnreached || total > mostUnreached+time.Minute || err == nil {
		t.Errorf("a server that is gone: given up after %v, %v", total, err)
	}
	if n, total, err := tries(&patience{}, limited("7"), 0); n != mostAsked || total != mostAsked*7*time.Second || err == nil {
		t.Errorf("a server that asks to wait: %d attempts in %v, %v", n, total, err)
	}
	if _, err := (&patience{}).next(limited("7200"), now); err == nil || !strings.Contains(err.Error(), "wait for 2 hours") {
		t.Errorf("a server that asks to wait for long: %v", err)
	}
	if _, err := (&patience{}).next(loader.ErrChanged, now); err != loader.ErrChanged {
		t.Error("what does not pass is tried again")
	}
}

func TestWaitText(t *testing.T) {
	for _, c := range []struct {
		err  error
		left time.Duration
		want string
	}{
		{limited("7"), 6100 * time.Millisecond, "asks to wait: it goes on in 7 s"},
		{limited("700"), 200 * time.Second, "3 min 20 s"},
		{gone, time.Second, "cannot be reached"},
		{cut, time.Second, "broke off"},
	} {
		if got := waitText(c.err, c.left); !strings.Contains(got, c.want) {
			t.Errorf("%q, want %q", got, c.want)
		}
	}
}
