package state

import (
	"slices"

	"github.com/imprompt/imprompt/app/settings"
	"github.com/imprompt/imprompt/app/texts"
)

// Gallery is what was made, and which of it is on the stage.
type Gallery struct {
	Results  []*Result // the latest first
	Changes  int       // counts the changes of Results, so that the gallery is drawn only after one
	Shown    *Result   // on the stage; nil for the picture in the making, the strip, or nothing
	Follow   bool      // a picture is put on the stage when it is ready; false while the visitor looks at an earlier one
	Opened   bool      // the gallery has the place of the stage, so that more of it is seen
	Lightbox bool      // the stage is over the whole page, to look at the gallery's pictures one after the other
	Selection
	search  Search
	listed  []*Result // what Listed returned last; nil if that has changed
	keeping int       // results on their way into the store
	unread  string    // why earlier pictures are not shown; "" if they are
	asked   bool      // the browser was asked to keep the pictures when the disk runs full
	safe    bool      // it promised to, which it does not in a private window
	unsafe  bool      // it did not promise to
}

// Restored adds the results of earlier visits, once the store has listed them.
func (g *Gallery) Restored(earlier []*Result) {
	g.Results = append(g.Results, earlier...)
	g.changed()
}

// changed says that other results are to be listed.
func (g *Gallery) changed() {
	g.listed = nil
	g.Changes++
}

// Unreadable says that the pictures of earlier visits are there but cannot be shown, which must not look like an empty
// gallery.
func (g *Gallery) Unreadable(why error) {
	g.unread = texts.F("The pictures of earlier visits cannot be shown: %s.", texts.Translate(why.Error()))
	g.Changes++
}

// AskToPersist reports, once, whether the browser is now to be asked to keep what is stored: with the first picture.
func (g *Gallery) AskToPersist() bool {
	ask := !g.asked
	g.asked = true
	return ask
}

// Persisted takes the browser's answer, or what it promised on an earlier visit.
func (g *Gallery) Persisted(granted bool) {
	g.safe, g.unsafe = granted, !granted
	g.Changes++
}

// About says how the pictures are kept; "" if that goes without saying.
func (g *Gallery) About() string {
	switch {
	case g.unread != "":
		return g.unread
	case len(g.Results) == 0 && g.safe:
		return texts.T("What you make is kept here, on this machine.")
	case len(g.Results) == 0: // a page cannot find out whether its window is private
		return texts.T("What you make is kept here, on this machine. In a private window, it is kept until that window is closed.")
	case g.unsafe:
		return texts.T("The browser may clear these pictures when the disk runs full or when a private window is closed. Export what you want to keep.")
	}
	return ""
}

// Requested clears the stage for a new request.
func (g *Gallery) Requested() { g.Shown, g.Follow = nil, true }

// NextRequested clears the stage for a request that had to wait, unless the visitor looks at an earlier picture.
func (g *Gallery) NextRequested() {
	if g.Follow {
		g.Requested()
	}
}

// Made adds a new result, which is now to be put into the store. alone says that it is the only picture of its
// request, and so has the stage to itself.
func (g *Gallery) Made(r *Result, alone bool) {
	g.Results = append([]*Result{r}, g.Results...)
	g.changed()
	g.keeping++
	if g.Follow && alone {
		g.Shown = r
	}
}

// Kept reports how storing a result went. What is stored does not stay in memory as well. It returns what the visitor
// has to know about it; "" for nothing.
func (g *Gallery) Kept(r *Result, key float64, inputs map[string]string, err error) (note string) {
	g.keeping--
	if err != nil {
		return texts.F("The picture is in the gallery only until the page is closed: the browser could not store it (%s). Delete some pictures, or download it.", texts.Translate(err.Error()))
	}
	r.Key, r.Kept, r.Inputs = key, inputs, nil
	return ""
}

// Has reports whether a result is in the gallery.
func (g *Gallery) Has(r *Result) bool { return slices.Contains(g.Results, r) }

// Keeping reports whether results are still on their way into the store.
func (g *Gallery) Keeping() bool { return g.keeping > 0 }

// Show puts an earlier picture on the stage, where it stays until the visitor goes back.
func (g *Gallery) Show(r *Result) { g.Shown, g.Follow = r, false }

// ShowOfStrip puts a picture of the strip on the stage.
func (g *Gallery) ShowOfStrip(r *Result) { g.Shown = r }

// Back returns to the strip, or to the picture in the making.
func (g *Gallery) Back() { g.Shown, g.Follow = nil, true }

// Remove takes a result out of the gallery and off the stage. back puts it into its place again.
func (g *Gallery) Remove(r *Result) (back func()) {
	i := slices.Index(g.Results, r)
	if i < 0 {
		return func() {}
	}
	var after *Result // the result that it came before
	if i+1 < len(g.Results) {
		after = g.Results[i+1]
	}
	g.leave(r)
	g.Results = slices.Delete(slices.Clone(g.Results), i, i+1)
	g.changed()
	shown := g.Shown == r
	if shown {
		g.Shown = nil
	}
	return func() {
		at := slices.Index(g.Results, after)
		if at < 0 {
			at = len(g.Results)
		}
		g.insert(at, r)
		if shown {
			g.Shown = r
		}
	}
}

// Elsewhere takes what another tab says of its gallery: a result is there now. It goes to its place by its key, which
// is the time at which it was made.
func (g *Gallery) Elsewhere(r *Result) {
	if g.Find(r.Key) != nil {
		return
	}
	at := slices.IndexFunc(g.Results, func(other *Result) bool { return other.Key != 0 && other.Key < r.Key })
	if at < 0 {
		at = len(g.Results)
	}
	g.insert(at, r)
}

// insert puts a result into its place. Results is never changed in place, because others may read it.
func (g *Gallery) insert(at int, r *Result) {
	g.Results = slices.Insert(slices.Clone(g.Results), at, r)
	g.changed()
}

// Find returns the result that has a key in the store, or nil.
func (g *Gallery) Find(key float64) *Result {
	if i := slices.IndexFunc(g.Results, func(r *Result) bool { return key != 0 && r.Key == key }); i >= 0 {
		return g.Results[i]
	}
	return nil
}

// ShownURL returns where the picture on the stage is shown from; "" if there is none.
func (g *Gallery) ShownURL() string {
	if g.Shown == nil {
		return ""
	}
	return g.Shown.URL
}

// FindMadeFrom returns the result that was made from these settings, or nil. It does not look for settings without
// pictures, because those already say everything that there is to restore.
func (g *Gallery) FindMadeFrom(s settings.Settings) *Result {
	if len(s.Guides) == 0 && s.InitImage == "" {
		return nil
	}
	if i := slices.IndexFunc(g.Results, func(r *Result) bool { return r.madeFrom(s) }); i >= 0 {
		return g.Results[i]
	}
	return nil
}
