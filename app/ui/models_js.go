//go:build js && wasm && !cli

package ui

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"syscall/js"

	"github.com/maxence-charriere/go-app/v10/pkg/app"

	"github.com/imprompt/imprompt/app/settings"
	"github.com/imprompt/imprompt/gpu"
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

// choice is the model that is used, remembered over reloads. ID "" is the one that
// ships.
type choice struct {
	ID         string `json:"id"`
	Name       string `json:"name"`
	Pixels     int    `json:"pixels"`
	InChannels int    `json:"in_channels"`
	CrossDim   int    `json:"cross_dim"`
}

// task is something under way.
type task struct {
	kind        string // plan, download, verify or import
	p           weights.Progress
	speed, left float64
}

// dropped is a file of weights that waits for the visitor's word.
type dropped struct {
	file   js.Value
	handle js.Value // undefined where the browser has none
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
func (p *page) kind(kind string) []*weights.Item {
	var list []*weights.Item
	for i := range p.m.library.Items {
		if item := &p.m.library.Items[i]; item.Complete && item.Kind == kind {
			list = append(list, item)
		}
	}
	return list
}

func (p *page) chooseID(id string) {
	if item := p.stored(id); item != nil && item.Kind == "model" {
		p.choose(item)
	}
}

// choose changes the model, nil for the one that ships, with the size and the steps
// that suit it.
func (p *page) choose(item *weights.Item) {
	c := choice{}
	if item != nil {
		c = choice{item.ID, item.Name, item.Pixels, item.InChannels, item.CrossDim}
	}
	if c == p.m.chosen {
		return
	}
	p.m.chosen = c
	p.ctx.LocalStorage().Set("model", c)
	delete(p.problems, atGo)
	p.takeDefaults()
	if p.worker.Truthy() && !p.busy { // what is being loaded is of no use any more
		p.worker.Call("postMessage", map[string]any{"type": "cancel"})
	}
	if p.worker.Truthy() && !p.needsPermission() {
		p.worker.Call("postMessage", map[string]any{"type": "load", "model": c.ID})
	}
}

// takeDefaults sets what follows from the model.
func (p *page) takeDefaults() {
	if p.m.chosen.ID == "" {
		p.s.Width, p.s.Height, p.s.NumInferenceSteps, p.s.GuidanceScale = 128, 128, 20, 5
		return
	}
	pixels := p.m.chosen.Pixels
	if pixels <= 0 {
		pixels = 512
	}
	p.s.Width, p.s.Height, p.s.NumInferenceSteps, p.s.GuidanceScale = pixels, pixels, 25, 7.5
}

// adapterOption is an adapter that fits the chosen model.
type adapterOption struct{ id, name, encoder string }

func (p *page) adapters() []adapterOption {
	if p.m.chosen.ID == "" {
		return shippedAdapters
	}
	encoders := p.kind("image_encoder")
	var list []adapterOption
	for _, a := range p.kind("ip_adapter") {
		if a.CrossDim != p.m.chosen.CrossDim && a.CrossDim != 0 && p.m.chosen.CrossDim != 0 {
			continue
		}
		o := adapterOption{a.ID, a.Name, ""}
		for _, e := range encoders {
			if o.encoder == "" || e.ID == a.Needs {
				o.encoder = e.ID
			}
		}
		list = append(list, o)
	}
	return list
}

// adapterOf is the adapter of an image prompt: the one that was chosen, where it fits.
func (p *page) adapterOf(im *imagePrompt) (o adapterOption, ok bool) {
	list := p.adapters()
	for _, a := range list {
		if a.id == im.adapter {
			return a, true
		}
	}
	if len(list) == 0 {
		return o, false
	}
	return list[0], true
}

// modelProblem says what the chosen model still lacks for a request.
func (p *page) modelProblem(s settings.Settings) string {
	switch {
	case p.m.chosen.InChannels == 9 && s.InitImage == "":
		return p.m.chosen.Name + " repaints a part of a picture: add a start picture, and paint on it what shall be drawn anew."
	case p.m.chosen.InChannels == 9 && s.Mask == "":
		return p.m.chosen.Name + " repaints a part of a picture: open \"Repaint a part\" at the start picture, and paint what shall be drawn anew."
	case len(s.IPAdapters) == 0 || p.m.chosen.ID == "":
		return ""
	case len(p.adapters()) == 0:
		return "An image prompt needs an IP-Adapter that fits " + p.m.chosen.Name + ": download one in Models, or remove the image prompts."
	case len(p.kind("image_encoder")) == 0:
		return "An IP-Adapter needs the CLIP image encoder: download it in Models, or remove the image prompts."
	}
	return ""
}

// takeModel takes over the model that a PNG names; what is not here is said.
func (p *page) takeModel(id string) (leftOut string) {
	switch {
	case id == p.m.chosen.ID:
	case id == "":
		p.choose(nil)
	case p.stored(id) != nil && p.stored(id).Kind == "model":
		p.chooseID(id)
	default:
		return "the model " + id + ", which is not here (see Models)"
	}
	return ""
}

// needsPermission: the chosen model lies on the disk, and the browser may ask before
// the page reads it.
func (p *page) needsPermission() bool {
	_, ok := p.m.handles[p.m.chosen.ID]
	return ok
}

// permit asks the browser, from a click, for leave to read the files that lie on the
// disk, and goes on when it is given.
func (p *page) permit(then func()) {
	var wanted []js.Value
	for _, id := range append([]string{p.m.chosen.ID}, p.adapterIDs()...) {
		if h, ok := p.m.handles[id]; ok && h.Get("requestPermission").Type() == js.TypeFunction {
			wanted = append(wanted, h)
		}
	}
	if len(wanted) == 0 {
		then()
		return
	}
	p.ctx.Async(func() {
		for _, h := range wanted {
			state, err := gpu.Await(context.Background(), h.Call("requestPermission", map[string]any{"mode": "read"}))
			if err != nil || state.String() != "granted" {
				p.ctx.Dispatch(func(app.Context) {
					p.problems[atGo] = "The browser was not allowed to read " + h.Get("name").String() + ": press Generate again and allow it, or choose another model."
				})
				return
			}
		}
		p.ctx.Dispatch(func(app.Context) { then() })
	})
}

func (p *page) adapterIDs() (list []string) {
	for _, im := range p.prompts {
		if a, ok := p.adapterOf(im); ok {
			list = append(list, a.id)
		}
	}
	return list
}

// takeWeights takes dropped files that are weights, and says whether there were any.
func (p *page) takeWeights(data js.Value) bool {
	files := data.Get("files")
	for i := range files.Length() {
		file := files.Index(i)
		if !isWeights(file.Get("name").String()) {
			continue
		}
		// The handle must be asked for before the event is over.
		handle := js.Undefined()
		if item := data.Get("items").Index(i); item.Truthy() && item.Get("getAsFileSystemHandle").Type() == js.TypeFunction {
			handle = item.Call("getAsFileSystemHandle")
		}
		p.ctx.Async(func() {
			if handle.Truthy() {
				h, err := gpu.Await(context.Background(), handle)
				if err != nil || !h.Truthy() {
					h = js.Undefined()
				}
				handle = h
			}
			p.ctx.Dispatch(func(app.Context) {
				p.m.open = true
				p.m.dropped = &dropped{file, handle}
				p.m.notes[""] = ""
				p.startLibrary()
			})
		})
		return true
	}
	return false
}

func isWeights(name string) bool {
	name = strings.ToLower(name)
	return slices.ContainsFunc([]string{".safetensors", ".ckpt", ".gguf", ".pt", ".pth", ".bin", ".onnx"}, func(end string) bool { return strings.HasSuffix(name, end) })
}

// pickFile opens the browser's picker for a file that is used where it lies.
func (p *page) pickFile() {
	options := map[string]any{"types": []any{map[string]any{"description": "Weights", "accept": map[string]any{"application/octet-stream": []any{".safetensors"}}}}}
	picked := js.Global().Call("showOpenFilePicker", options)
	p.ctx.Async(func() {
		list, err := gpu.Await(context.Background(), picked)
		if err != nil {
			return // the visitor changed their mind
		}
		p.ctx.Dispatch(func(app.Context) {
			p.m.notes[""] = ""
			p.ask("keep", map[string]any{"handle": list.Index(0)})
		})
	})
}

// startDownload begins what was planned, once the licence is accepted.
func (p *page) startDownload(id string) {
	list := p.m.plans[id]
	delete(p.m.plans, id)
	p.persist()
	for _, r := range list {
		delete(p.m.notes, r.ID)
		p.m.tasks[r.ID] = &task{kind: "download", p: weights.Progress{Total: r.Bytes()}}
		p.ask("download", map[string]any{"id": r.ID})
	}
	if id == "link" {
		p.m.link = ""
	}
}

// persist asks the browser, once a visit, to keep what is stored when the disk runs full.
func (p *page) persist() {
	storage := js.Global().Get("navigator").Get("storage")
	if p.m.persists != "" || !storage.Truthy() || storage.Get("persist").Type() != js.TypeFunction {
		return
	}
	p.ctx.Async(func() {
		granted, err := gpu.Await(context.Background(), storage.Call("persist"))
		p.ctx.Dispatch(func(app.Context) {
			p.m.persists = "The browser keeps it until you delete it."
			if err != nil || !granted.Bool() {
				p.m.persists = "The browser made no promise to keep it: it may clear it when the disk runs full. A bookmark of this page, or installing it, often changes that."
			}
		})
	})
}

func (p *page) accept(ctx app.Context, licence string, yes bool) {
	p.m.accepted[licence] = yes
	ctx.LocalStorage().Set("licences", p.m.accepted)
}

// licenceOf is the licence that must be accepted before records are downloaded; ok
// false where there is none.
func (p *page) licenceOf(list []weights.Record) (id string, l loader.Licence, ok bool) {
	for _, r := range list {
		if l, found := p.m.catalogue.Licences[r.Licence]; found && l.Accept {
			return r.Licence, l, true
		}
	}
	return "", l, false
}

func bytesText(n int64) string {
	switch {
	case n >= 1e9:
		return fmt.Sprintf("%.2f GB", float64(n)/1e9)
	case n >= 1e6:
		return fmt.Sprintf("%.1f MB", float64(n)/1e6)
	}
	return fmt.Sprintf("%.0f kB", float64(n)/1e3)
}
