package state

import (
	"fmt"
	"runtime"
	"testing"
	"time"

	"github.com/imprompt/imprompt/app/settings"
)

func TestSearch(t *testing.T) {
	fox, cat := resultOf("A red fox, in the snow", 7), resultOf("a cat", 8)
	fox.Settings.Scheduler, fox.Settings.Model = "euler_a", "people/dreamshaper.safetensors"
	fox.Settings.NegativePrompt = "blurry"
	fox.Settings.Guides = settings.Guides{&settings.IPAdapter{Lambda: 0.35}}
	cat.Starred = true
	g := &Gallery{}
	g.Restored([]*Result{cat, fox})
	for _, c := range []struct {
		search Search
		want   string
	}{
		{Search{}, "a cat, A red fox, in the snow"},
		{Search{Words: "FOX snow"}, fox.Title()},
		{Search{Words: "fox cat"}, ""},
		{Search{Words: "-fox"}, "a cat"},
		{Search{Words: "dreamshaper"}, fox.Title()},
		{Search{Words: "euler"}, fox.Title()},
		{Search{Words: "0.35"}, fox.Title()},
		{Search{Words: "blurry"}, fox.Title()},
		{Search{Words: "seed 8"}, "a cat"},
		{Search{Words: "demo"}, "a cat"},
		{Search{Words: "-"}, ""},
		{Search{Starred: true}, "a cat"},
		{Search{Words: "fox", Starred: true}, ""},
	} {
		g.SetSearch(c.search)
		if got := titles(g.Listed()); got != c.want {
			t.Errorf("%+v lists %q, want %q", c.search, got, c.want)
		}
	}
	g.SetSearch(Search{Words: "dog"})
	before := g.Changes
	g.Made(resultOf("a dog", 9), true)
	if titles(g.Listed()) != "a dog" || g.Changes == before {
		t.Error("a new result is not listed, or the gallery is not drawn")
	}
}

func TestStars(t *testing.T) {
	a, b := resultOf("a", 1), resultOf("b", 2)
	g := &Gallery{}
	g.Restored([]*Result{a, b})
	if changed := g.Star([]*Result{a}); len(changed) != 1 || !a.Starred {
		t.Error("a has no star")
	}
	if changed := g.Star([]*Result{a, b}); len(changed) != 1 || changed[0] != b || !b.Starred {
		t.Error("of two, the one without a star gets one")
	}
	if g.Star([]*Result{a, b}); a.Starred || b.Starred {
		t.Error("the stars of both are not taken away")
	}
	g.TakeStar(a, true)
	if g.SetSearch(Search{Starred: true}); titles(g.Listed()) != "a" {
		t.Error("a star of another tab is not there")
	}
}

func TestFacts(t *testing.T) {
	r := resultOf("a fox", 7)
	r.Settings.Scheduler, r.Cost.Seconds = "euler_a", 12
	r.Settings.Guides = settings.Guides{&settings.IPAdapter{Lambda: 0.5}, &settings.IPAdapter{Lambda: 1}}
	if got := r.Facts(); got != "λ = 0.5, 1 · Demo model · Euler a · 12 s" {
		t.Errorf("%q", got)
	}
}

// 2,000 results take far less than 20 MB of heap, also once they have been searched.
func TestHeapOfTwoThousand(t *testing.T) {
	heap := func() int64 {
		var m runtime.MemStats
		runtime.GC()
		runtime.ReadMemStats(&m)
		return int64(m.HeapAlloc)
	}
	before := heap()
	g, text := &Gallery{}, ""
	for range 40 {
		text += "a fox in the snow, "
	}
	for i := range 2000 {
		r := resultOf(fmt.Sprint(i, text), uint64(i))
		r.Settings.NegativePrompt = fmt.Sprint(i, "blurry, ugly")
		r.Settings.Guides = settings.Guides{&settings.IPAdapter{Lambda: 0.5, Weights: "fox.bin"}, &settings.IPAdapter{Lambda: 0.5, Weights: "cat.bin"}}
		r.Kept = map[string]string{"fox.png": fmt.Sprintf("%064d", i), "cat.png": fmt.Sprintf("%064d", i)}
		r.Made = time.UnixMilli(int64(1_700_000_000_000 + i))
		g.Results = append(g.Results, r)
	}
	g.SetSearch(Search{Words: "1999a"})
	if n := len(g.Listed()); n != 1 {
		t.Errorf("%d are found", n)
	}
	used := heap() - before
	t.Logf("%.1f MB", float64(used)/1e6)
	if used > 12e6 {
		t.Errorf("2,000 results take %.1f MB", float64(used)/1e6)
	}
	runtime.KeepAlive(g)
}
