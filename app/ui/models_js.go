//go:build js && wasm

package ui

import (
	"encoding/json"
	"syscall/js"

	"github.com/maxence-charriere/go-app/v10/pkg/app"

	"github.com/imprompt/imprompt/loader"
	weights "github.com/imprompt/imprompt/loader/store"
)

// models is what the page knows of models: what is stored, what is under way, and which
// are chosen. The worker "library" does the work.
type models struct {
	worker    js.Value
	open      bool // the panel
	ready     bool // the worker has told what is stored
	library   weights.Library
	catalogue loader.Catalogue
	handles   map[string]js.Value // of files that are read where they lie
	plans     map[string][]weights.Record
	tasks     map[string]*task
	notes     map[string]string // what went wrong with an id, or a remark; "" is the panel's
	dropped   *dropped
	base      string // a mirror of the hub; "" is the hub
	link      string
	accepted  map[string]bool // licences
	persists  string          // what the browser said when it was asked to keep all this

	chosen choice
}

// task is something under way.
type task struct {
	kind        string // plan, download, verify or import
	p           weights.Progress
	speed, left float64
}

// openModels takes up what an earlier visit chose.
func (p *page) openModels(ctx app.Context) {
	p.m.plans, p.m.tasks, p.m.notes = map[string][]weights.Record{}, map[string]*task{}, map[string]string{}
	p.m.accepted, p.m.handles = map[string]bool{}, map[string]js.Value{}
	ctx.LocalStorage().Get("licences", &p.m.accepted)
	ctx.LocalStorage().Get("mirror", &p.m.base)
	ctx.LocalStorage().Get("model", &p.m.chosen)
	p.takeDefaults()
	// A first visit has no use for a second worker.
	var any bool
	ctx.LocalStorage().Get("models", &any)
	if any {
		p.startLibrary()
	}
}

func (p *page) startLibrary() {
	if p.m.worker.Truthy() {
		return
	}
	url := js.Global().Get("URL").New("web/js/worker.js", js.Global().Get("document").Get("baseURI"))
	p.m.worker = js.Global().Get("Worker").New(url, map[string]any{"type": "module", "name": "library"})
	p.m.worker.Set("onmessage", js.FuncOf(func(_ js.Value, args []js.Value) any {
		m := args[0].Get("data")
		p.ctx.Dispatch(func(app.Context) { p.receiveModels(m) })
		return nil
	}))
	p.m.worker.Set("onerror", js.FuncOf(func(_ js.Value, args []js.Value) any {
		p.ctx.Dispatch(func(app.Context) {
			p.m.notes[""] = "What keeps the models could not start: " + args[0].Get("message").String() + ". Reload the page to try again."
		})
		return nil
	}))
}

func (p *page) ask(kind string, fields map[string]any) {
	p.startLibrary()
	fields["type"] = kind
	p.m.worker.Call("postMessage", fields)
}

// receiveModels takes a message of the library.
func (p *page) receiveModels(m js.Value) {
	id := ""
	if v := m.Get("id"); v.Type() == js.TypeString {
		id = v.String()
	}
	switch m.Get("type").String() {
	case "library":
		p.takeLibrary(m)
	case "planned":
		delete(p.m.tasks, id)
		var list []weights.Record
		if json.Unmarshal([]byte(m.Get("records").String()), &list) == nil {
			p.m.plans[id] = list
		}
	case "progress":
		t := &task{kind: m.Get("task").String(), speed: m.Get("speed").Float(), left: m.Get("left").Float()}
		if json.Unmarshal([]byte(m.Get("progress").String()), &t.p) == nil {
			p.m.tasks[id] = t
		}
	case "ended":
		p.m.notes[""] = "What keeps the models has stopped (" + m.Get("message").String() + "). What is stored stays: reload the page to go on."
		p.m.tasks = map[string]*task{}
	case "finished":
		delete(p.m.tasks, id)
		delete(p.m.notes, id)
		switch m.Get("task").String() {
		case "verify":
			p.m.notes[id] = "Verified: every byte is as it was stored."
		case "delete":
			p.worker.Call("postMessage", map[string]any{"type": "forget"})
		case "import", "keep":
			p.m.dropped = nil
			p.chooseID(id)
		}
	case "problem":
		delete(p.m.tasks, id)
		if what := m.Get("task").String(); what == "import" || what == "keep" {
			p.m.dropped, id = nil, ""
		}
		p.m.notes[id] = m.Get("message").String()
	}
}

func (p *page) takeLibrary(m js.Value) {
	if !p.m.ready {
		delete(p.m.notes, "") // what kept it from starting
	}
	p.m.ready = true
	// Into a library of its own: what JSON leaves out would stay as the last one had it.
	var library weights.Library
	if err := json.Unmarshal([]byte(m.Get("library").String()), &library); err != nil {
		p.m.notes[""] = err.Error()
	}
	p.m.library = library
	if c, err := loader.ParseCatalogue([]byte(m.Get("catalogue").String())); err == nil {
		p.m.catalogue = c
	}
	p.ctx.LocalStorage().Set("models", len(p.m.library.Items) > 0)
	p.m.handles = map[string]js.Value{}
	handles := m.Get("handles")
	names := js.Global().Get("Object").Call("keys", handles)
	for i := range names.Length() {
		p.m.handles[names.Index(i).String()] = handles.Get(names.Index(i).String())
	}
	for id := range p.m.plans { // what has begun is shown as what it is
		if item := p.item(id); item != nil {
			delete(p.m.plans, id)
		}
	}
	if p.m.chosen.ID != "" && p.stored(p.m.chosen.ID) == nil {
		p.choose(nil)
	}
}

// item is what is stored under an id, whole or not.
func (p *page) item(id string) *weights.Item {
	for i := range p.m.library.Items {
		if p.m.library.Items[i].ID == id {
			return &p.m.library.Items[i]
		}
	}
	return nil
}

// stored is what is stored whole under an id.
func (p *page) stored(id string) *weights.Item {
	if item := p.item(id); item != nil && item.Complete {
		return item
	}
	return nil
}

// kind lists what is stored whole of a kind.
func (p *page) kind(kind loader.Kind) []*weights.Item {
	var list []*weights.Item
	for i := range p.m.library.Items {
		if item := &p.m.library.Items[i]; item.Complete && item.Kind == kind {
			list = append(list, item)
		}
	}
	return list
}
