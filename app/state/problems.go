package state

// Place is where in the composer a problem is shown: beside what caused it.
type Place string

const (
	AtPrompts   Place = "prompts"   // the image prompts
	AtStart     Place = "start"     // the start picture
	AtStructure Place = "structure" // the maps
	AtGrid      Place = "grid"      // the axes of strips and grids
	AtGo        Place = "go"        // Generate
)

// Problems says what went wrong, in words for the visitor, by the place where it is shown.
type Problems map[Place]string

// Note says what was done on the visitor's behalf, with what may be done about it.
type Note struct {
	Text   string
	Action string // the label of a button; "" for none
	Do     func() // what the button does
	Undo   *Step  // what was done, if it can be taken back
}
