//go:build js && wasm

package gpu

import (
	"context"
	"testing"
	"time"
)

// A trial's operation runs, takes time, and gives numbers that can be compared.
func TestTrial(t *testing.T) {
	d := testDevice(t, testPath{})
	d.Guard = false
	for _, key := range []string{"linear/small", "attention/160"} {
		ms, first, err := d.try(context.Background(), key)
		if err != nil {
			t.Fatal(err)
		}
		if ms <= 0 {
			t.Errorf("%s takes %g ms", key, ms)
		}
		if _, again, err := d.try(context.Background(), key); err != nil || difference(again, first) > 1e-6 || difference(make([]float32, len(first)), first) < 0.9 {
			t.Errorf("%s gives other numbers the second time, or none: %v", key, err)
		}
	}
}

// A measurement that is given up leaves nothing that still runs on buffers that are gone.
func TestTrialGivenUp(t *testing.T) {
	d := testDevice(t, testPath{})
	d.Guard = false
	p := d.NewProgram("given up")
	_, release, err := d.recordTrial(context.Background(), p, "linear/small", 4)
	if err != nil {
		t.Fatal(err)
	}
	if err := p.Build(context.Background()); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	if _, err := p.Profile(ctx, 0, trialTime); err == nil {
		t.Error("it is not given up")
	}
	p.Release()
	release()
	time.Sleep(100 * time.Millisecond)
	if err := d.Check(); err != nil {
		t.Error(err)
	}
}
