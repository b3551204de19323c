package state

import (
	"slices"
	"strings"

	"github.com/imprompt/imprompt/app/protocol"
	"github.com/imprompt/imprompt/app/settings"
	"github.com/imprompt/imprompt/app/texts"
	"github.com/imprompt/imprompt/loader"
)

// VAE is one that can take the place of the chosen model's own.
type VAE struct {
	ID, Name string
	Tiny     bool // it is fast enough for previews, and less exact
	Here     bool
	Bytes    int64  // of the download, where it is not here
	SHA256   string // of its file; "" where its publisher did not tell it
}

// Group is what has to be downloaded for it.
func (v VAE) Group() Group { return Group{ID: "vae " + v.ID, Name: v.Name, Records: []string{v.ID}} }

// VAEs lists those that can be used with the chosen model: first what is here, then what the catalogue offers. The model
// that ships draws with its own alone.
func (l *Library) VAEs() (list []VAE) {
	if l.Chosen.ID == "" {
		return nil
	}
	for _, item := range whole(l.stored, loader.KindVAE) {
		v := VAE{ID: item.ID, Name: item.Name, Tiny: item.Tiny, Here: true}
		if len(item.Files) == 1 {
			v.SHA256 = strings.ToLower(item.Files[0].SHA256)
		}
		list = append(list, v)
	}
	for _, e := range l.catalogue.Models {
		if item := find(l.stored, e.ID); e.Kind == loader.KindVAE && (item == nil || !item.Complete) {
			list = append(list, VAE{ID: e.ID, Name: e.Name, Tiny: e.Tiny, Bytes: e.Bytes})
		}
	}
	return list
}

// VAEOf returns the VAE that settings are drawn with: the one that they name or, for a model without one of its own, the
// first that is not tiny. ok is false where it is the model's own, or where the one that they name is not known here.
func (l *Library) VAEOf(s settings.Settings) (v VAE, ok bool) {
	list := l.VAEs()
	if s.VAE == "" {
		if !l.Chosen.WithoutVAE {
			return v, false
		}
		return first(list, func(v VAE) bool { return !v.Tiny }, func(VAE) bool { return true })
	}
	plain := settings.WeightsName(s.VAE)
	return first(list,
		func(v VAE) bool { return v.ID == s.VAE },
		func(v VAE) bool { return settings.PublicName(v.ID) == s.VAE },
		func(v VAE) bool { return v.Here && s.VAEHash != "" && strings.HasPrefix(v.SHA256, s.VAEHash) },
		func(v VAE) bool { return settings.WeightsName(v.ID) == plain || v.Name == s.VAE },
	)
}

// ToLoad is what the engine may load before a picture is asked for. ok is false for a model without a VAE, as long as
// none is here that it could draw with.
func (l *Library) ToLoad(s settings.Settings) (load protocol.Load, ok bool) {
	load.Model = l.Chosen.ID
	v, found := l.VAEOf(s)
	switch {
	case load.Model == "":
	case found && v.Here:
		load.VAE = v.ID
	case !l.Ready:
		load.VAE = s.VAE // of an earlier visit
	}
	return load, load.VAE != "" || !l.Chosen.WithoutVAE
}

// resolveVAE makes the VAE that settings name one that is known here. It leaves another one as it is.
func (l *Library) resolveVAE(s *settings.Settings) {
	if l.Chosen.ID == "" {
		s.VAE, s.VAEHash = "", ""
		return
	}
	if v, ok := l.VAEOf(*s); ok {
		s.VAE, s.VAEHash = v.ID, v.SHA256[:min(10, len(v.SHA256))]
	}
}

// Previews lists the VAEs that can draw the previews.
func (l *Library) Previews() []VAE {
	return slices.DeleteFunc(l.VAEs(), func(v VAE) bool { return !v.Tiny })
}

// resolvePreview leaves the previews rough where the VAE that is to draw them is not here.
func (l *Library) resolvePreview(s *settings.Settings) {
	if !slices.ContainsFunc(l.Previews(), func(v VAE) bool { return v.ID == s.PreviewVAE && v.Here }) {
		s.PreviewVAE = ""
	}
}

// vaeProblem says which VAE a request lacks; "" for none.
func (l *Library) vaeProblem(s settings.Settings) string {
	v, ok := l.VAEOf(s)
	switch {
	case ok && v.Here:
		return ""
	case s.VAE == "" && l.Chosen.WithoutVAE, ok && l.Chosen.WithoutVAE:
		return texts.F("%s was saved without a VAE, which turns what it draws into pixels: download one, or choose one under Settings.", l.Chosen.Name)
	case ok:
		return texts.F("The VAE %s is not here: download it, or choose another one under Settings.", v.Name)
	case s.VAE != "":
		return texts.F("The VAE %s is not here: add its file in Models, or choose another one under Settings.", s.VAE)
	}
	return ""
}
