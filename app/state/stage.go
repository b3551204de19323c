package state

import (
	"slices"

	"github.com/imprompt/imprompt/app/texts"
)

// Stage is how the picture on the stage is looked at, what it is compared with, and what is edited on the stage.
type Stage struct {
	View    View
	Compare Compare
	pixels  string  // whether pixels are shown crisp or smooth, if the visitor has chosen
	edit    Editing // What is "" for nothing
	under   *Result // what was shown when the edit began
}

const (
	crisp  = "crisp"
	smooth = "smooth"
)

// Crisp reports whether each pixel of the picture is seen as a square. Without a choice, that is from twice its size on.
func (s *Stage) Crisp() bool {
	return s.pixels == crisp || s.pixels == "" && s.View.Scale() >= 2
}

// ToggleCrisp chooses what Crisp is not.
func (s *Stage) ToggleCrisp() {
	if s.Crisp() {
		s.pixels = smooth
	} else {
		s.pixels = crisp
	}
}

// Editing is a mask, a map or a crop of the composer that is edited on the stage.
type Editing struct {
	What      string // one of the following
	Prompt    *ImagePrompt
	Part      int // the number of its picture, as ImagePrompt.PartAt has them
	Structure *Structure
}

// What can be edited on the stage.
const (
	EditStart   = "start"   // the mask of the start picture
	EditBorders = "borders" // what is painted around the start picture
	EditWhere   = "where"   // the mask of an image prompt
	EditMap     = "map"     // a structure's map
	EditCrop    = "crop"    // the square that the image encoder sees
)

// Editing returns what is edited; What is "" for nothing.
func (s *Stage) Editing() Editing { return s.edit }

// Edit begins to edit something, or ends it if it is edited already. shown is the picture on the stage.
func (s *Stage) Edit(e Editing, shown *Result) {
	if s.edit == e {
		e = Editing{}
	}
	s.edit, s.under, s.View.Large, s.View.Around = e, shown, e.What != "", e.What == EditBorders
	s.View.Fit()
}

// Done ends what is edited, and reports whether anything was.
func (s *Stage) Done() bool {
	was := s.edit
	if was.What != "" {
		s.Edit(was, nil)
	}
	return was.What != ""
}

// Settle follows what has changed elsewhere. An edit ends when what is edited was removed and, unless it is painted over
// the picture on the stage, when another picture is put there.
func (s *Stage) Settle(c *Composer, g *Gallery, shown *Result) {
	if e := s.edit; e.What != "" && (!e.within(c) || e.What != EditWhere && shown != s.under) {
		s.Done()
	}
	s.Compare.settle(g, shown)
}

// within reports whether what is edited is composed.
func (e Editing) within(c *Composer) bool {
	switch e.What {
	case EditStart, EditBorders:
		return c.Start != nil
	case EditMap:
		return slices.Contains(c.Structures, e.Structure)
	case EditWhere:
		return slices.Contains(c.Prompts, e.Prompt)
	}
	return slices.Contains(c.Prompts, e.Prompt) && e.Crop() != nil
}

// Mask returns the mask that is edited, or nil.
func (e Editing) Mask(c *Composer) *Mask {
	switch {
	case !e.within(c):
	case e.What == EditStart:
		return &c.StartMask
	case e.What == EditMap:
		return &e.Structure.Map
	case e.What == EditWhere:
		return &e.Prompt.Mask
	}
	return nil
}

// Crop returns the crop that is edited, or nil.
func (e Editing) Crop() *Crop {
	if e.What != EditCrop {
		return nil
	}
	_, crop := e.Prompt.PartAt(e.Part)
	return crop
}

// Title names what is edited, and Hint says what to do.
func (e Editing) Title() string {
	return map[string]string{EditStart: texts.T("Repaint a part"), EditBorders: texts.T("Extend the edges"), EditWhere: texts.T("Where"), EditMap: texts.T("Paint on the map"), EditCrop: texts.T("Crop")}[e.What]
}

func (e Editing) Hint() string {
	return map[string]string{
		EditStart:   texts.T("Paint over what is to be drawn again. If nothing is painted, that is all of it."),
		EditBorders: texts.T("Drag an edge or a corner outwards. What is added there is painted, and the picture itself stays as it is."),
		EditWhere:   texts.T("Paint where in the result this picture has an effect. If nothing is painted, that is everywhere."),
		EditMap:     texts.T("Paint white to add lines, and black to remove them."),
		EditCrop:    texts.T("The encoder sees the bright square: drag it, or turn the wheel to zoom."),
	}[e.What]
}

// OnStage returns the picture that has the stage to itself, or nil.
func OnStage(g *Gallery, j *Jobs) *Result {
	if g.Shown == nil {
		return j.Single()
	}
	return g.Shown
}
