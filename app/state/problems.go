package state

import (
	"slices"

	"github.com/imprompt/imprompt/app/protocol"
	"github.com/imprompt/imprompt/app/texts"
)

// Place is where in the composer a problem is shown: beside what caused it.
type Place string

const (
	AtPrompts   Place = "prompts"   // the image prompts
	AtStart     Place = "start"     // the start picture
	AtStructure Place = "structure" // the maps
	AtGrid      Place = "grid"      // the axes of strips and grids
	AtGo        Place = "go"        // Generate
)

// Problems says what went wrong, by the place where it is shown.
type Problems map[Place]Problem

// Problem is what went wrong, in words for the visitor, with what puts it right. The zero value is none.
type Problem struct {
	Text     string
	Remedies []Remedy
	Fine     bool // nothing went wrong: Text is a remark
}

// problem returns a problem with its remedies; none without a text.
func problem(text string, remedies ...Remedy) Problem {
	if text == "" {
		return Problem{}
	}
	return Problem{Text: text, Remedies: remedies}
}

// Remedy puts a problem right. It is a button beside the problem.
type Remedy struct {
	Mend Mend
	Of   string // what it is done to: as Mend says
}

// Mend is what a remedy does.
type Mend string

const (
	ChooseAnother Mend = "choose another" // another file, with the file input Of
	ChooseFile    Mend = "choose file"    // a file of weights from the disk
	TryAgain      Mend = "try again"      // what was asked for once more: a picture, or the map that has the problem
	AllowFile     Mend = "allow"          // asks the browser for a file on the disk, and generates
	OpenPanel     Mend = "open"           // the panel Of
	DrawSmaller   Mend = "smaller"        // the same picture in a smaller size
	StartEngine   Mend = "engine"         // once more
	Reload        Mend = "reload"         // the page
	MakeRoom      Mend = "room"           // shows what is stored
	GetAgain      Mend = "get again"      // deletes and downloads the record Of
	DeleteStored  Mend = "delete"         // the record Of, which has the name of a new one
	RemoveLast    Mend = "remove last"    // the last of what a place has, called Of
	UseExample    Mend = "example"        // as the values of an axis of the grid
)

// Label is what the button says.
func (r Remedy) Label() string {
	switch r.Mend {
	case OpenPanel:
		return texts.F("Open %s", panelNames[r.Of])
	case RemoveLast:
		return texts.F("Remove %s", r.Of)
	}
	return labels[r.Mend].String()
}

var labels = map[Mend]texts.Text{ChooseAnother: "Choose another", ChooseFile: "Choose the file", TryAgain: "Try again", AllowFile: "Allow it and generate",
	DrawSmaller: "Draw it smaller", StartEngine: "Start the engine again", Reload: "Reload the page", MakeRoom: "Make room", GetAgain: "Download it again",
	DeleteStored: "Delete the stored one", UseExample: "Use an example"}

// Panels in which a visitor puts a problem right, by their ids.
const (
	InStyles    = "styles"
	InStart     = "start"
	InStructure = "structure"
	InSettings  = "settings"
	InModels    = "models"
)

var panelNames = map[string]texts.Text{InStyles: "Styles", InStart: "Start picture", InStructure: "Structure", InSettings: "Settings", InModels: "Models"}

// The file inputs that a picture is chosen with, by where what went wrong with it is shown.
const (
	AddPrompt    = "add-prompt"
	AddStart     = "add-start"
	AddStructure = "add-structure"
)

// Unreadable is the problem of a file that could not be taken at a place.
func Unreadable(at Place, text string) Problem {
	inputs := map[Place]string{AtPrompts: AddPrompt, AtStart: AddStart, AtStructure: AddStructure}
	if input := inputs[at]; input != "" {
		return problem(text, Remedy{ChooseAnother, input})
	}
	return problem(text)
}

// NotAllowed is the problem of a file on the disk that the browser was not allowed to read.
func NotAllowed(file string) Problem {
	return problem(texts.F("The browser was not allowed to read %s: press Generate again and allow it, or choose another model.", file), Remedy{Mend: AllowFile})
}

// failure is the problem that a worker tells of. others are the remedies if the worker gives no reason for any.
func failure(f protocol.Failed, others ...Remedy) Problem {
	reason := map[string][]Remedy{
		protocol.Permission:  {{Mend: AllowFile}},
		protocol.Memory:      {{Mend: DrawSmaller}, {OpenPanel, InModels}},
		protocol.Full:        {{Mend: MakeRoom}},
		protocol.Damaged:     {{GetAgain, f.Record}},
		protocol.Taken:       {{DeleteStored, f.Record}},
		protocol.Refused:     {{Mend: ChooseFile}},
		protocol.Outdated:    {{Mend: Reload}},
		protocol.Unreachable: {{Mend: TryAgain}},
	}
	if list, ok := reason[f.Reason]; ok && !(f.Record == "" && slices.Contains([]string{protocol.Damaged, protocol.Taken}, f.Reason)) {
		return problem(texts.Translate(f.Message), list...)
	}
	return problem(texts.Translate(f.Message), others...)
}

// Note says what was done on the visitor's behalf, with what may be done about it.
type Note struct {
	Text   string
	Action string // the label of a button; "" for none
	Do     func() // what the button does
	Undo   *Step  // what was done, if it can be taken back
}
