//go:build js && wasm

package ui

import (
	"errors"
	"fmt"
	"strings"
	"syscall/js"

	"github.com/imprompt/imprompt/app/settings"
	"github.com/imprompt/imprompt/app/state"
	"github.com/imprompt/imprompt/app/texts"
	"github.com/imprompt/imprompt/app/ui/blobs"
	"github.com/imprompt/imprompt/gpu/webapi"
	"github.com/imprompt/imprompt/loader"
)

// intake brings into the composer what comes from elsewhere: files, samples and earlier results.
type intake struct {
	composer    *state.Composer
	gallery     *state.Gallery
	store       state.Store
	undo        *state.Undo
	note        *state.Note
	controls    *controls
	canvases    *canvases
	loop        *loop
	library     *state.Library
	load        func() // the chosen model
	countTokens func()
}

// files makes dropped, pasted or picked files image prompts. A picture that carries settings restores
// them instead.
func (t *intake) files(files js.Value) {
	var list []js.Value
	for i := range files.Length() {
		list = append(list, files.Index(i))
	}
	t.loop.ctx.Async(func() {
		for _, file := range list { // one after the other, so that they stay in order
			if isKept(file) {
				data, err := blobs.Bytes(file)
				t.loop.dispatch(func() { t.kept(file.Get("name").String(), data, err) })
				continue
			}
			s, carried := settingsOf(file)
			picture, err := admit(file.Get("name").String(), file)
			t.loop.dispatch(func() { t.file(picture, err, s, carried) })
		}
	})
}

// isKept reports whether a file has kept embeddings.
func isKept(file js.Value) bool {
	if name := file.Get("name").String(); loader.IsWeights(name) && file.Get("size").Float() <= maxFile {
		head, err := blobs.Bytes(file.Call("slice", 0, state.KeptHead))
		return err == nil && state.IsKept(name, webapi.GoBytes(head))
	}
	return false
}

// kept adds an image prompt of kept embeddings.
func (t *intake) kept(name string, data js.Value, err error) {
	if err != nil {
		t.refuse(state.AtPrompts, texts.F("%s could not be read: %s", name, texts.Translate(err.Error())))
		return
	}
	t.composer.AddPrompt(state.NewKept(name, data))
}

// file takes a file that was read: a picture, or err, and the settings in it, or the error carried.
func (t *intake) file(picture *state.Picture, err error, s settings.Settings, carried error) {
	var partial *settings.Partial
	switch {
	case err != nil:
		t.refuse(state.AtPrompts, err.Error())
	case carried == nil:
		t.restoreFile(s, nil, picture)
	case errors.As(carried, &partial):
		t.restoreFile(s, partial.LeftOut, picture)
	default:
		t.addPrompt(picture)
	}
}

// settingsOf reads the settings that a picture carries. If the error is a *settings.Partial, the settings are good.
func settingsOf(file js.Value) (settings.Settings, error) {
	if file.Get("size").Float() > maxFile {
		return settings.Settings{}, settings.ErrNoSettings
	}
	data, err := blobs.Bytes(file)
	if err != nil {
		return settings.Settings{}, err
	}
	return settings.Read(webapi.GoBytes(data))
}

func (t *intake) addPrompt(picture *state.Picture) {
	t.composer.AddPrompt(state.NewImagePrompt(picture))
	t.canvases.paintLater()
}

// sample adds a sample as an image prompt, and then does more, if then is not nil.
func (t *intake) sample(s state.Sample, then func()) {
	t.loop.beside(func() func() {
		b, err := fetchBlob("web/samples/" + s.File)
		var picture *state.Picture
		if err == nil {
			picture, err = admit(s.File, b)
		}
		return func() {
			if err != nil {
				t.refuse(state.AtPrompts, texts.F("The sample could not be read: %s", texts.Translate(err.Error())))
				return
			}
			t.addPrompt(picture)
			if then != nil {
				then()
			}
		}
	})
}

// start makes a file the start picture.
func (t *intake) start(files js.Value) {
	t.admitFirst(files, state.AtStart, t.setStart)
}

// more adds files to the pictures of an image prompt.
func (t *intake) more(im *state.ImagePrompt, files js.Value) {
	for i := range files.Length() {
		file := files.Index(i)
		t.admit(file.Get("name").String(), file, state.AtPrompts, func(p *state.Picture) {
			t.composer.AddMore(im, p)
			t.canvases.paintLater()
		})
	}
}

// unlike makes a file the picture that the result should not be like.
func (t *intake) unlike(im *state.ImagePrompt, files js.Value) {
	t.admitFirst(files, state.AtPrompts, func(p *state.Picture) {
		t.composer.SetUnlike(im, p)
		t.canvases.paintLater()
	})
}

// structure makes a file a map that the result follows.
func (t *intake) structure(files js.Value) {
	t.admitFirst(files, state.AtStructure, t.addStructure)
}

// resultAsStructure makes a map of a result.
func (t *intake) resultAsStructure(r *state.Result) {
	t.admitResult(r, func(p *state.Picture) {
		t.addStructure(p)
		if t.composer.Problems[state.AtStructure].Text == "" {
			*t.note = state.Note{Text: texts.T("The next result will follow the map of this picture.")}
		}
		t.reveal("structure")
	})
}

func (t *intake) addStructure(p *state.Picture) {
	t.composer.AddStructure(state.NewStructure(p))
	openPanel("structure")
}

func (t *intake) setStart(picture *state.Picture) {
	t.composer.SetStart(picture)
	openPanel("start")
	t.canvases.paintLater()
}

// openPanel opens a panel that can be folded.
func openPanel(id string) {
	if d := byID(id); d.Truthy() {
		d.Set("open", true)
	}
}

// admitFirst reads the first of the files, if there is one, as admit does.
func (t *intake) admitFirst(files js.Value, at state.Place, take func(*state.Picture)) {
	if files.Length() > 0 {
		file := files.Index(0)
		t.admit(file.Get("name").String(), file, at, take)
	}
}

// admit reads a file and hands it on as a picture. What goes wrong is shown at a place.
func (t *intake) admit(name string, file js.Value, at state.Place, take func(*state.Picture)) {
	t.loop.beside(func() func() {
		picture, err := admit(name, file)
		return func() {
			if err != nil {
				t.refuse(at, err.Error())
				return
			}
			take(picture)
		}
	})
}

// refuse says why a file was not taken, where it was to be, and shows that place.
func (t *intake) refuse(at state.Place, why string) {
	t.composer.Problems[at] = state.Unreadable(at, why)
	t.loop.drawn(func() {
		for _, place := range []state.Place{state.AtStart, state.AtStructure} {
			if at == place {
				openPanel(string(place))
			}
		}
		if e := js.Global().Get("document").Call("querySelector", ".composer .problem"); e.Truthy() {
			e.Call("scrollIntoView", map[string]any{"block": "nearest"})
		}
	})
}

// resultAsPrompt adds a result as an image prompt.
func (t *intake) resultAsPrompt(r *state.Result) {
	t.admitResult(r, func(p *state.Picture) {
		t.addPrompt(p)
		if t.composer.Problems[state.AtPrompts].Text == "" {
			*t.note = state.Note{Text: texts.T("The picture is an image prompt now.")}
			t.reveal(thumbID(len(t.composer.Prompts) - 1))
		}
	})
}

// resultAsStart makes a result the start picture.
func (t *intake) resultAsStart(r *state.Result) {
	t.admitResult(r, func(p *state.Picture) {
		t.setStart(p)
		*t.note = state.Note{Text: texts.T("The picture is the start picture now.")}
		t.reveal("start")
	})
}

// extendResult makes a result the start picture, and lets the visitor drag its edges.
func (t *intake) extendResult(r *state.Result) {
	t.admitResult(r, func(p *state.Picture) {
		step := t.composer.Replacing(t.undo, nil)
		t.composer.Extend(p)
		*t.note = state.Note{Text: "The picture is the start picture now.", Undo: step}
		openPanel(state.InStart)
		t.canvases.stage.Done()
		t.canvases.edit(state.Editing{What: state.EditBorders})
	})
}

// reveal scrolls an element into view, once the page is drawn.
func (t *intake) reveal(id string) {
	t.loop.drawn(func() {
		if e := byID(id); e.Truthy() {
			e.Call("scrollIntoView", map[string]any{"block": "nearest"})
		}
	})
}

func (t *intake) admitResult(r *state.Result, take func(*state.Picture)) {
	t.admit(fmt.Sprintf("result-%d.png", r.Settings.Seed), r.PNG.(js.Value), state.AtGo, take)
}

// restoreFile takes over the settings that a picture carried. Its image prompts are not in it, but they are in the gallery
// if the picture was made here.
func (t *intake) restoreFile(s settings.Settings, leftOut []string, picture *state.Picture) {
	offer := func() {
		t.addPrompt(picture)
		*t.note = state.Note{}
	}
	if r := t.gallery.FindMadeFrom(s); r != nil {
		t.restoreResult(r)
		t.note.Text, t.note.Action, t.note.Do = texts.F("Settings restored from %s. Its pictures were in the gallery.", picture.Name), texts.T("Use it as an image prompt as well"), offer
		return
	}
	step := t.replacing()
	leftOut = append(leftOut, t.restoreWeights(&s)...)
	*t.note = state.Note{Text: t.composer.RestoreFile(picture.Name, s, leftOut), Action: texts.T("Use it as an image prompt instead"), Do: func() {
		step.Back()
		t.restored()
		offer()
	}, Undo: step}
	t.restored()
}

// restoreWeights uses the model and the other weights that settings name. leftOut says what of them is not here.
func (t *intake) restoreWeights(s *settings.Settings) (leftOut []string) {
	if lacks := t.library.Restore(*s); lacks != "" {
		leftOut = append(leftOut, lacks)
	}
	return append(leftOut, t.library.RestoreWeights(s)...)
}

// replacing remembers what is composed, and the model, before settings are restored.
func (t *intake) replacing() *state.Step {
	model := t.library.Chosen.ID
	return t.composer.Replacing(t.undo, func() { t.library.Choose(model) })
}

// restoreResult takes over a result's settings and its pictures.
func (t *intake) restoreResult(r *state.Result) {
	step := t.replacing()
	*t.note = state.Note{Text: texts.T("The settings and pictures of this picture are restored."), Undo: step}
	s := r.Settings
	leftOut := t.restoreWeights(&s)
	if len(leftOut) > 0 {
		t.note.Text = texts.F("Restored, except for %s.", strings.Join(leftOut, "; "))
	}
	t.composer.Restore(s)
	t.restored()
	t.loop.beside(func() func() {
		pictures, err := r.Pictures(t.store, browser{})
		return func() {
			if err != nil {
				t.note.Text = texts.F("The settings are restored, but not their pictures: %s", texts.Translate(err.Error()))
				return
			}
			if !step.Can() { // taken back meanwhile
				pictures.Discard()
				return
			}
			t.composer.RestorePictures(pictures)
			t.restored()
		}
	})
}

// restored shows what was restored, also in the control that has the keyboard.
func (t *intake) restored() {
	t.controls.force = true
	t.countTokens()
	t.load()
	t.canvases.paintLater()
}
