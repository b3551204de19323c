package state

// Picture is a picture that the visitor gave or reuses.
type Picture struct {
	Name          string
	Width, Height int    // of the upright picture, in pixels
	URL           string // where the browser shows it from
	Bytes         any    // the file, as the browser holds it
	Small         any    // a reduced bitmap, for the composer
	Free          func() // gives back what the browser holds for URL and Small; may be nil
}

// free is called when a picture leaves the composer. It may be called on nil, and again.
func (p *Picture) free() {
	if p != nil && p.Free != nil {
		p.Free()
		p.Free = nil
	}
}

// Browser does with pictures what needs a browser. Its methods may take a while, so they are called outside of the
// page's own goroutine.
type Browser interface {
	// Admit decodes a picture's file, and fails if the engine could not read it.
	Admit(name string, bytes any) (*Picture, error)
	// Bitmap decodes a mask's PNG.
	Bitmap(png any) (any, error)
}

// Input is a picture that goes into a request: either a file's bytes, or a mask that is still to be drawn at a size in pixels.
type Input struct {
	Bytes         any
	Mask          *Mask
	Width, Height int // of the mask
}
