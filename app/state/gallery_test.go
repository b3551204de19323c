package state

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/imprompt/imprompt/app/settings"
)

func resultOf(prompt string, seed uint64) *Result {
	s := settings.Default()
	s.Prompt, s.Seed = prompt, seed
	return &Result{Settings: s, URL: fmt.Sprintf("blob:%s-%d", prompt, seed), PNG: fmt.Sprintf("%s %d", prompt, seed)}
}

func TestGalleryOrder(t *testing.T) {
	a, b, c := resultOf("a", 1), resultOf("b", 2), resultOf("c", 3)
	var g Gallery
	g.Made(b, true) // before the store has answered
	g.Restored([]*Result{a})
	g.Made(c, true)
	if got := []*Result{c, b, a}; len(g.Results) != 3 || g.Results[0] != got[0] || g.Results[1] != got[1] || g.Results[2] != got[2] {
		t.Errorf("the order is %v", titles(g.Results))
	}
	if g.Changes != 3 {
		t.Errorf("%d changes were counted, want 3", g.Changes)
	}
	before := g.Results
	g.Remove(b)
	if got := titles(g.Results); got != "c, a" {
		t.Errorf("after b was removed: %s", got)
	}
	if got := titles(before); got != "c, b, a" {
		t.Errorf("removing changed the list in the hands of others: %s", got)
	}
	g.Remove(b)
	if len(g.Results) != 2 || g.Changes != 4 {
		t.Errorf("removing it again changed something: %s", titles(g.Results))
	}
}

func titles(list []*Result) string {
	var names []string
	for _, r := range list {
		names = append(names, r.Title())
	}
	return strings.Join(names, ", ")
}

func TestGalleryStage(t *testing.T) {
	a, b := resultOf("a", 1), resultOf("b", 2)
	t.Run("a new picture is shown", func(t *testing.T) {
		var g Gallery
		g.Requested()
		g.Made(a, true)
		if g.Shown != a || g.ShownURL() != a.URL {
			t.Errorf("%q is shown", g.ShownURL())
		}
	})
	t.Run("not over an earlier one that the visitor looks at", func(t *testing.T) {
		var g Gallery
		g.Restored([]*Result{a})
		g.Requested()
		g.Show(a)
		g.Made(b, true)
		if g.Shown != a {
			t.Errorf("%q is shown", g.ShownURL())
		}
		g.Back()
		if g.Shown != nil || !g.Follow {
			t.Error("Back did not return to the picture in the making")
		}
	})
	t.Run("nor over the strip that it belongs to", func(t *testing.T) {
		var g Gallery
		g.Requested()
		g.Made(a, false)
		if g.Shown != nil {
			t.Errorf("%q is shown", g.ShownURL())
		}
		g.ShowOfStrip(a)
		if g.Shown != a || !g.Follow {
			t.Error("a picture of the strip is not shown, or ends following")
		}
	})
	t.Run("a removed picture leaves the stage, and no other does", func(t *testing.T) {
		var g Gallery
		g.Restored([]*Result{a, b})
		g.Show(a)
		if g.Remove(b); g.Shown != a {
			t.Error("the stage was cleared for another picture")
		}
		if g.Remove(a); g.Shown != nil {
			t.Error("a removed picture is still shown")
		}
	})
}

func TestGalleryKeeping(t *testing.T) {
	var g Gallery
	a, b := resultOf("a", 1), resultOf("b", 2)
	g.Made(a, true)
	g.Made(b, true)
	a.Inputs = map[string]any{"fox.png": "bytes"}
	if note := g.Kept(a, 17, map[string]string{"fox.png": "hash"}, nil); note != "" || a.Key != 17 || !g.Keeping() {
		t.Errorf("the first: %q, key %g, keeping %v", note, a.Key, g.Keeping())
	}
	if a.Inputs != nil || a.Kept["fox.png"] != "hash" {
		t.Error("what is stored stays in memory")
	}
	note := g.Kept(b, 18, nil, errors.New("the disk is full"))
	if !strings.Contains(note, "the disk is full") || !strings.Contains(note, "download it") || b.Key != 0 || g.Keeping() {
		t.Errorf("the second: %q, key %g, keeping %v", note, b.Key, g.Keeping())
	}
}

func TestTitle(t *testing.T) {
	for _, c := range []struct {
		name, prompt, label, want string
	}{
		{"the words", "a fox", "", "a fox"},
		{"without words, the seed", "", "", "picture of seed 7"},
		{"in a strip, its label as well", "a fox", "λ = 0.5", "a fox, λ = 0.5"},
	} {
		t.Run(c.name, func(t *testing.T) {
			r := resultOf(c.prompt, 7)
			r.Label = c.label
			if got := r.Title(); got != c.want {
				t.Errorf("%q, want %q", got, c.want)
			}
		})
	}
}

// The gallery says how its pictures are kept, and is not called empty when it cannot be read.
func TestGalleryAbout(t *testing.T) {
	g := &Gallery{}
	if !strings.Contains(g.About(), "private window") {
		t.Errorf("empty: %q", g.About())
	}
	g.Made(&Result{}, true)
	if g.About() != "" {
		t.Errorf("with a picture: %q", g.About())
	}
	if !g.AskToPersist() || g.AskToPersist() {
		t.Error("the browser is not asked once")
	}
	g.Persisted(false)
	if !strings.Contains(g.About(), "private window is closed. Export") {
		t.Errorf("not persisted: %q", g.About())
	}
	g.Persisted(true)
	if g.About() != "" {
		t.Errorf("persisted: %q", g.About())
	}
	g = &Gallery{}
	g.Persisted(true) // on an earlier visit, so the window is not private
	if strings.Contains(g.About(), "private") {
		t.Errorf("empty and persisted: %q", g.About())
	}
	g = &Gallery{}
	g.Unreadable(errors.New("a newer version wrote them"))
	if !strings.Contains(g.About(), "newer version") {
		t.Errorf("unreadable: %q", g.About())
	}
}

// A deleted picture comes back to its place, also when others came meanwhile.
func TestDeletedPictureComesBack(t *testing.T) {
	g := &Gallery{}
	var list []*Result
	for i := range 4 {
		r := &Result{Key: float64(4 - i)}
		list = append(list, r)
	}
	g.Restored(list)
	g.Show(list[1])
	back := g.Remove(list[1])
	backLast := g.Remove(list[3])
	g.Made(&Result{Key: 5}, false)
	back()
	backLast()
	var keys []float64
	for _, r := range g.Results {
		keys = append(keys, r.Key)
	}
	if !slices.Equal(keys, []float64{5, 4, 3, 2, 1}) || g.Shown != list[1] {
		t.Errorf("the gallery is %v, shown is %v", keys, g.Shown)
	}
	g.Remove(&Result{})() // one that is not there
	if len(g.Results) != 5 {
		t.Error("it came from nowhere")
	}
}

// What another tab makes comes to its place, once.
func TestGalleryFollowsOtherTabs(t *testing.T) {
	g := &Gallery{}
	g.Restored([]*Result{{Key: 30}, {Key: 10}})
	g.Made(&Result{}, false) // on its way into the store
	for _, key := range []float64{20, 40, 20, 5} {
		g.Elsewhere(&Result{Key: key})
	}
	var keys []float64
	for _, r := range g.Results {
		keys = append(keys, r.Key)
	}
	if !slices.Equal(keys, []float64{0, 40, 30, 20, 10, 5}) {
		t.Errorf("the gallery is %v", keys)
	}
	if g.Find(20).Key != 20 || g.Find(7) != nil || g.Find(0) != nil {
		t.Error("results are not found by their keys")
	}
}
