package state

import (
	"cmp"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"time"

	"github.com/imprompt/imprompt/app/settings"
)

// Drafts keeps what is composed and what is under way for the next page: after a reload, an update, a crash, or days.
// Each tab has its own.
type Drafts interface {
	// Text returns what SetText was given last, by this page or an earlier one; "" for nothing.
	Text() string
	// SetText stores a text at once, so that it may be called while the page goes.
	SetText(text string) error
	// File returns the bytes of a file. It may take a while, as SetFiles may, so both are called outside of the page's
	// own goroutine.
	File(id string) (any, error)
	// SetFiles stores those files that are not stored yet, and deletes those that are not among them.
	SetFiles(files map[string]any) error
}

// Drafter saves what is composed and under way as a draft. A picture is stored once, however often the rest changes.
type Drafter struct {
	composer *Composer
	jobs     *Jobs
	drafts   Drafts
	text     string         // what was saved last
	files    string         // the ids of the files that were saved last
	ids      map[any]string // of what was given one: a *Picture or a *Base
	page     string         // what the ids of this page begin with
	next     int
	open     bool // what an earlier page left has been taken up
}

// NewDrafter returns a drafter that saves nothing until Open was called and its result was taken.
func NewDrafter(c *Composer, j *Jobs, d Drafts) *Drafter {
	return &Drafter{composer: c, jobs: j, drafts: d, ids: map[any]string{}, page: strconv.FormatInt(time.Now().UnixMilli(), 36)}
}

// The draft as JSON. Files are named by their ids.
type (
	draft struct {
		Settings   settings.Settings `json:"settings"`
		SeedLocked bool              `json:"seed_locked"`
		Followed   [2]int            `json:"followed"`
		Before     [2]int            `json:"before"`
		Prompts    []promptDraft     `json:"prompts,omitempty"`
		Structures []structureDraft  `json:"structures,omitempty"`
		Start      *pictureDraft     `json:"start,omitempty"`
		StartMask  maskDraft         `json:"start_mask"`
		Axes       [2]Axis           `json:"axes"`
		UnderWay   *underWay         `json:"under_way,omitempty"`
		Waiting    []*underWay       `json:"waiting,omitempty"`
	}
	pictureDraft struct {
		Name string `json:"name"`
		File string `json:"file"`
	}
	promptDraft struct {
		Picture pictureDraft `json:"picture"`
		Scale   float64      `json:"scale"`
		Layers  string       `json:"layers"`
		Start   float64      `json:"start"`
		End     float64      `json:"end"`
		Adapter string       `json:"adapter"`
		Crop    Crop         `json:"crop"`
		Mask    maskDraft    `json:"mask"`
		More    []partDraft  `json:"more,omitempty"`
		Combine string       `json:"combine"`
		Unlike  *partDraft   `json:"unlike,omitempty"`
		Tiled   string       `json:"tiled,omitempty"`
		Kept    bool         `json:"kept,omitempty"`
	}
	partDraft struct {
		Picture pictureDraft `json:"picture"`
		Crop    Crop         `json:"crop"`
	}
	structureDraft struct {
		Picture pictureDraft `json:"picture"`
		Network string       `json:"network"`
		Scale   float64      `json:"scale"`
		Start   float64      `json:"start"`
		End     float64      `json:"end"`
		Balance string       `json:"balance"`

		Preprocessor string    `json:"preprocessor,omitempty"`
		Chosen       bool      `json:"chosen,omitempty"` // the preprocessor
		Map          maskDraft `json:"map"`              // what is painted on the map, which is made again

		Part      string              `json:"part,omitempty"`
		Reference *settings.Reference `json:"reference,omitempty"` // nil in drafts of older versions
	}
	maskDraft struct {
		Base    string   `json:"base,omitempty"`
		Strokes []Stroke `json:"strokes,omitempty"`
		Brush   float64  `json:"brush,omitempty"`
	}
	underWay struct {
		Shots  []shotDraft         `json:"shots"`
		Grid   Grid                `json:"grid"`
		Jobs   []settings.Settings `json:"jobs"`
		Inputs map[string]string   `json:"inputs"`
		Tries  int                 `json:"tries"`
	}
	shotDraft struct {
		Label   string  `json:"label"`
		Key     float64 `json:"key,omitempty"` // of its result in the gallery
		Done    bool    `json:"done,omitempty"`
		Skipped bool    `json:"skipped,omitempty"`
	}
)

// Save saves what has changed since the last time: the text at once, and the files by the function that it returns,
// which is nil if those are the same.
func (d *Drafter) Save() (files func() error, err error) {
	if !d.open {
		return nil, nil
	}
	ids, all := map[any]string{}, map[string]any{}
	file := func(of any, bytes any) string {
		id := d.ids[of]
		if id == "" {
			d.next++
			id = fmt.Sprintf("%s-%d", d.page, d.next)
		}
		ids[of], all[id] = id, bytes
		return id
	}
	mask := func(m *Mask) maskDraft {
		list := maskDraft{Strokes: m.Strokes, Brush: m.Brush}
		if m.Base != nil {
			list.Base = file(m.Base, m.Base.PNG)
		}
		return list
	}
	c := d.composer
	out := draft{Settings: c.Settings, SeedLocked: c.SeedLocked, Followed: c.followed, Before: c.before, Axes: c.Axes, StartMask: mask(&c.StartMask)}
	part := func(p *Part) partDraft { return partDraft{pictureDraft{p.Name, file(p.Picture, p.Bytes)}, p.Crop} }
	for _, im := range c.Prompts {
		saved := promptDraft{Picture: pictureDraft{im.Name, file(im.Picture, im.Bytes)}, Scale: im.Scale, Layers: im.Layers, Start: im.Start, End: im.End,
			Adapter: im.Adapter, Crop: im.Crop, Mask: mask(&im.Mask), Combine: im.Combine, Tiled: im.Tiled, Kept: im.Kept}
		for _, p := range im.More {
			saved.More = append(saved.More, part(p))
		}
		if im.Unlike != nil {
			unlike := part(im.Unlike)
			saved.Unlike = &unlike
		}
		out.Prompts = append(out.Prompts, saved)
	}
	for _, s := range c.Structures {
		out.Structures = append(out.Structures, structureDraft{pictureDraft{s.Name, file(s.Picture, s.Bytes)}, s.Network, s.Scale, s.Start, s.End, s.Balance,
			s.Preprocessor, s.Chosen, maskDraft{Strokes: s.Map.Strokes, Brush: s.Map.Brush}, s.Part, &s.Reference})
	}
	if c.Start != nil {
		out.Start = &pictureDraft{c.Start.Name, file(c.Start, c.Start.Bytes)}
	}
	request := func(u Unfinished) *underWay {
		way := &underWay{Grid: u.Grid, Jobs: u.Jobs, Inputs: map[string]string{}, Tries: u.Tries}
		for _, s := range u.Shots {
			shot := shotDraft{Label: s.Label, Skipped: s.Skipped}
			if s.Result != nil {
				shot.Key, shot.Done = s.Result.Key, true
			}
			way.Shots = append(way.Shots, shot)
		}
		for name, bytes := range u.Inputs {
			id := fmt.Sprintf("%s-request-%d-%s", d.page, u.Number, name)
			way.Inputs[name], all[id] = id, bytes
		}
		return way
	}
	if u := d.jobs.Unfinished(); len(u.Jobs) > 0 {
		out.UnderWay = request(u)
	}
	for _, u := range d.jobs.Queue() {
		out.Waiting = append(out.Waiting, request(*u))
	}
	d.ids = ids
	return d.write(out, all)
}

func (d *Drafter) write(out draft, all map[string]any) (files func() error, err error) {
	text, err := json.Marshal(out)
	if err != nil {
		return nil, err
	}
	if string(text) != d.text {
		if err := d.drafts.SetText(string(text)); err != nil {
			return nil, err
		}
		d.text = string(text)
	}
	names, err := json.Marshal(slices.Sorted(maps.Keys(all)))
	if err != nil || string(names) == d.files {
		return nil, err
	}
	d.files = string(names)
	return func() error { return d.drafts.SetFiles(all) }, nil
}

// Earlier is what an earlier page left.
type Earlier struct {
	draft    *draft
	pictures Pictures
	inputs   map[*underWay]map[string]any
}

// Open reads what an earlier page left. It changes no state, and may be called outside of the page's own goroutine. A
// picture that cannot be read is left out.
func (d *Drafter) Open(browser Browser) Earlier {
	var e Earlier
	text := d.drafts.Text()
	if text == "" {
		return e
	}
	left := draft{Settings: settings.Default()}
	if json.Unmarshal([]byte(text), &left) != nil {
		return e
	}
	e.draft = &left
	picture := func(p pictureDraft) *Picture {
		bytes, err := d.drafts.File(p.File)
		if err != nil || bytes == nil {
			return nil
		}
		admitted, err := browser.Admit(p.Name, bytes)
		if err != nil {
			return nil
		}
		return admitted
	}
	mask := func(m maskDraft) Mask {
		made := Mask{Strokes: m.Strokes, Brush: m.Brush}
		if m.Base == "" {
			return made
		}
		if png, err := d.drafts.File(m.Base); err == nil && png != nil {
			if bitmap, err := browser.Bitmap(png); err == nil {
				made.Base = &Base{Bitmap: bitmap, PNG: png}
			}
		}
		return made
	}
	part := func(p partDraft) *Part {
		admitted := picture(p.Picture)
		if admitted == nil {
			return nil
		}
		p.Crop.Width, p.Crop.Height = admitted.Width, admitted.Height
		return &Part{admitted, p.Crop}
	}
	kept := func(p partDraft) *Part {
		bytes, err := d.drafts.File(p.Picture.File)
		if err != nil || bytes == nil {
			return nil
		}
		return &Part{&Picture{Name: p.Picture.Name, Bytes: bytes}, p.Crop}
	}
	for _, p := range left.Prompts {
		read := part
		if p.Kept {
			read = kept
		}
		first := read(partDraft{p.Picture, p.Crop})
		if first == nil {
			continue
		}
		im := &ImagePrompt{Picture: first.Picture, Scale: p.Scale, Layers: p.Layers, Start: p.Start, End: p.End, Adapter: p.Adapter, Crop: first.Crop, Mask: mask(p.Mask),
			Combine: cmp.Or(p.Combine, settings.CombineConcat), Tiled: p.Tiled, Kept: p.Kept}
		for _, m := range p.More {
			if more := part(m); more != nil {
				im.More = append(im.More, more)
			}
		}
		if p.Unlike != nil {
			im.Unlike = part(*p.Unlike)
		}
		e.pictures.Prompts = append(e.pictures.Prompts, im)
	}
	for _, s := range left.Structures {
		if admitted := picture(s.Picture); admitted != nil {
			read := &Structure{Picture: admitted, Network: s.Network, Part: s.Part, Scale: s.Scale, Start: s.Start, End: s.End, Balance: s.Balance,
				Preprocessor: s.Preprocessor, Chosen: s.Chosen, Map: mask(s.Map), Reference: settings.DefaultReference()}
			if s.Reference != nil {
				read.Reference = *s.Reference
			}
			e.pictures.Structures = append(e.pictures.Structures, read)
		}
	}
	if left.Start != nil {
		if e.pictures.Start = picture(*left.Start); e.pictures.Start != nil {
			e.pictures.StartMask = mask(left.StartMask)
		}
	}
	e.inputs = map[*underWay]map[string]any{}
	for _, way := range append(left.Waiting, left.UnderWay) {
		if way == nil {
			continue
		}
		inputs := map[string]any{}
		for name, id := range way.Inputs {
			if bytes, err := d.drafts.File(id); err == nil && bytes != nil {
				inputs[name] = bytes
			}
		}
		if len(inputs) == len(way.Inputs) { // it cannot be drawn otherwise
			e.inputs[way] = inputs
		}
	}
	return e
}

// UnderWay reports whether a request was under way.
func (e Earlier) UnderWay() bool { return e.draft != nil && e.inputs[e.draft.UnderWay] != nil }

// Take takes up what Open returned. From now on the drafter saves. It returns what was under way, which has no jobs if
// nothing was. g is the gallery, in which pictures of the same request may be.
func (d *Drafter) Take(e Earlier, g *Gallery) Unfinished {
	d.open = true
	if e.draft == nil {
		return Unfinished{}
	}
	c := d.composer
	meanwhile := c.Prompts // what was added while the files were read
	if c.Start != nil {
		e.pictures.Start.free()
		e.pictures.Start, e.pictures.StartMask = c.Start, c.StartMask
	}
	e.pictures.Prompts = append(e.pictures.Prompts, meanwhile...)
	e.pictures.Structures = append(e.pictures.Structures, c.Structures...)
	c.Settings, c.SeedLocked = e.draft.Settings, e.draft.SeedLocked
	c.RestorePictures(e.pictures)
	c.followed, c.before = e.draft.Followed, e.draft.Before
	c.Axes = e.draft.Axes
	request := func(way *underWay) (u Unfinished) {
		if e.inputs[way] == nil {
			return u
		}
		u = Unfinished{Grid: way.Grid, Jobs: way.Jobs, Inputs: e.inputs[way], Tries: way.Tries}
		for _, s := range way.Shots {
			r := g.Find(s.Key)
			u.Shots = append(u.Shots, &Shot{Label: s.Label, Result: r, Skipped: s.Skipped || s.Done && r == nil})
		}
		return u
	}
	var waiting []Unfinished
	for _, way := range e.draft.Waiting {
		if u := request(way); len(u.Jobs) > 0 {
			waiting = append(waiting, u)
		}
	}
	d.jobs.WaitAgain(waiting)
	return request(e.draft.UnderWay)
}

// Takeable reports whether the request may be begun again without asking. One with which two pages have gone may be
// what ended them.
func (u Unfinished) Takeable() bool { return u.Tries < 2 }
